import { RefusedError } from '@koco/core'

/** The two sides of a run's files: what it was given, what it made. */
export const FILE_SIDES = ['in', 'out'] as const

/** One of `FILE_SIDES`. */
export type FileSide = (typeof FILE_SIDES)[number]

const PATH_BYTES_MAX = 1024
const NAME_BYTES_MAX = 255

/**
 * Checks a path below a folder and gives it in composed Unicode: names joined by `/`, none empty, none beginning with a dot. RefusedError `bad_path` for everything that could lead out of
 * the folder or hide in it: absolute paths, `..`, backslashes, control characters.
 */
export function safePath(text: string): string {
  const path = text.normalize('NFC')
  const fault = faultOf(path)
  if (fault !== undefined) {
    throw new RefusedError(`${JSON.stringify(text.slice(0, 200))} cannot be the path of a file: it ${fault}. Use names joined by "/", like "out/report.md".`, {
      code: 'bad_path',
    })
  }
  return path
}

/** The side and the rest of a run's path, `in/…` or `out/…`. RefusedError `bad_path`. */
export function sidedPath(text: string): { readonly side: FileSide; readonly rest: string; readonly path: string } {
  const path = safePath(text)
  const side = FILE_SIDES.find((one) => path.startsWith(`${one}/`))
  if (side === undefined) {
    throw new RefusedError(`${JSON.stringify(text.slice(0, 200))} is no file of a run: its path begins with "in/" (given to it) or "out/" (made by it).`, {
      code: 'bad_path',
    })
  }
  return { side, rest: path.slice(side.length + 1), path }
}

/** A name that a stranger gave made into a safe path, as near to it as can be: for files that people upload. */
export function cleanPath(name: string): string {
  const parts = name
    .toWellFormed()
    .normalize('NFC')
    .replaceAll('\\', '/')
    // oxlint-disable-next-line no-control-regex -- they are what is taken out
    .replaceAll(/[\u0000-\u001F\u007F\u200E\u200F\u202A-\u202E\u2066-\u2069]/g, '')
    .split('/')
    .map((part) => shorten(part.replace(/^(?:[.\s]|[a-z]:)+/i, '').trim()))
    .filter((part) => part !== '')
    .slice(-16)
  while (Buffer.byteLength(parts.join('/')) > PATH_BYTES_MAX - 64) parts.shift()
  return parts.length === 0 ? 'file' : parts.join('/')
}

function faultOf(text: string): string | undefined {
  if (text === '') return 'is empty'
  if (Buffer.byteLength(text) > PATH_BYTES_MAX) return `has more than ${PATH_BYTES_MAX} bytes`
  // oxlint-disable-next-line no-control-regex -- they are what is refused
  if (!text.isWellFormed() || /[\u0000-\u001F\u007F]/.test(text)) return 'has a control character'
  if (text.includes('\\')) return 'has a backslash'
  if (text.startsWith('/') || /^[a-z]:/i.test(text)) return 'is absolute'
  for (const part of text.split('/')) {
    if (part === '') return 'has an empty name'
    if (part.startsWith('.')) return 'has a name that begins with a dot'
    if (Buffer.byteLength(part) > NAME_BYTES_MAX) return `has a name of more than ${NAME_BYTES_MAX} bytes`
  }
  return undefined
}

/** The name within 200 bytes, its ending kept. */
function shorten(name: string): string {
  if (Buffer.byteLength(name) <= 200) return name
  const ending = /\.[a-z0-9]{1,10}$/i.exec(name)?.[0] ?? ''
  let stem = name.slice(0, 200 - ending.length)
  while (Buffer.byteLength(stem) > 200 - ending.length) stem = stem.slice(0, -1)
  // A character that was cut through.
  return stem.replace(/[\uD800-\uDBFF]$/, '') + ending
}
