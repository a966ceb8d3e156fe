import { AssertionError, KocoError, RefusedError, UnavailableError } from '@koco/core'

/** What a command's exit code says; stable. */
export const EXIT = { done: 0, failed: 1, usage: 2, unreachable: 3, refused: 4 } as const

/** Refusals that are about the command line and the configuration, not about a request. */
const USAGE_CODES = new Set(['bad_settings', 'bad_profile', 'bad_flows', 'bad_flow', 'duplicate_flow', 'usage'])

/** The exit code of an error. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof UnavailableError) return EXIT.unreachable
  if (error instanceof RefusedError) return USAGE_CODES.has(error.code) ? EXIT.usage : EXIT.refused
  return EXIT.failed
}

/** What a person is told of an error: koco's own errors are a sentence; a mistake in the code comes with its stack. */
export function errorText(error: unknown): string {
  if (error instanceof KocoError) return error.message
  if (error instanceof AssertionError || !(error instanceof Error))
    return `koco stumbled over a mistake of its own: ${error instanceof Error ? error.stack : String(error)}`
  return error.stack ?? error.message
}

/** An error as `-o json` tells it, on one line. */
export function errorJson(error: unknown): string {
  const { code, details } = error instanceof KocoError ? error : { code: 'internal', details: undefined }
  return JSON.stringify({ error: { code, message: errorText(error), exit_code: exitCodeOf(error), ...(details !== undefined && { details }) } })
}

/** True when a command line asks for JSON. Looked for before it is parsed: mistakes in it are told in JSON too. */
export function asksForJson(argv: readonly string[]): boolean {
  return argv.some((arg, i) => arg === '-ojson' || arg === '--output=json' || (arg === 'json' && (argv[i - 1] === '-o' || argv[i - 1] === '--output')))
}

/** A mistake on the command line. */
export function usageError(message: string): RefusedError {
  return new RefusedError(message, { code: 'usage' })
}
