import { KocoError, UnavailableError } from '@koco/core'

/** True for an error of the system with one of these codes. */
export function isCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code))
}

/** What the disk refused, as an error that says what to do; others as they are. */
export function diskError(dir: string): (error: unknown) => unknown {
  return (error) => {
    if (error instanceof KocoError || !(error instanceof Error) || !('code' in error) || !('syscall' in error)) return error
    const why = isCode(error, 'ENOSPC', 'EDQUOT') ? 'the disk is full' : error.message
    return new UnavailableError(`The content store at ${dir} does not work now: ${why}. Free some space, or check the folder, its owner and its rights.`, {
      code: 'blobs_unavailable',
      cause: error,
    })
  }
}
