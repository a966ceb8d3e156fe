import { RefusedError } from '@koco/core'
import type { FileLimits } from './port.ts'

const UNITS = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB']

/** A number of bytes as people say it: `1.5 GiB`. */
export function sizeText(bytes: number): string {
  let unit = 0
  let value = bytes
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024
    unit += 1
  }
  return `${Math.round(value * 10) / 10} ${UNITS[unit] ?? ''}`
}

/** Says that a file is larger than files may be. */
export function fileTooLarge(name: string, { fileBytesMax }: Pick<FileLimits, 'fileBytesMax'>): RefusedError {
  return new RefusedError(`"${name}" is too large: a file may have ${sizeText(fileBytesMax)} here (KODO_UPLOAD_FILE_MAX).`, { code: 'file_too_large' })
}

/** Says that the files of a run are more than a run may have. */
export function runFilesTooLarge({ runBytesMax }: Pick<FileLimits, 'runBytesMax'>): RefusedError {
  return new RefusedError(`The files are too large together: those of a run may have ${sizeText(runBytesMax)} here (KODO_UPLOAD_RUN_MAX).`, {
    code: 'run_files_too_large',
  })
}

/** Says that a run has more files than it may have. */
export function tooManyFiles({ filesMax }: Pick<FileLimits, 'filesMax'>): RefusedError {
  return new RefusedError(`These are too many files: a run may have ${filesMax}. Pack them into one.`, { code: 'too_many_files' })
}
