import { RefusedError } from '@koco/core'

/** Below this lies what a checkpoint holds besides the files of the workspace. */
export const SESSION_FOLDER = '.session'

const PATH_BYTES_MAX = 4096

/** True for a path below `.session/`. */
export function isSessionPath(path: string): boolean {
  return path === SESSION_FOLDER || path.startsWith(`${SESSION_FOLDER}/`)
}

/** Refuses a path of a manifest from elsewhere that leads out of a folder, or that no file can have: RefusedError `bad_path`. */
export function checkPath(path: string): string {
  const names = path.split('/')
  const bad =
    path.includes('\0') ||
    path.includes('\\') ||
    /^[a-z]:/i.test(path) ||
    !path.isWellFormed() ||
    Buffer.byteLength(path) > PATH_BYTES_MAX ||
    names.some((name) => name === '' || name === '.' || name === '..' || Buffer.byteLength(name) > 255)
  if (bad) throw new RefusedError(`${JSON.stringify(path.slice(0, 200))} cannot be the path of a file in a workspace.`, { code: 'bad_path' })
  return path
}

/** How a path looks where case and the form of Unicode make no difference. */
export function foldPath(path: string): string {
  return path.normalize('NFC').toLowerCase()
}
