import { accessSync, constants, mkdirSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { RefusedError } from '@koco/core'

/** Makes the data folder when it is missing and checks that it can be used; gives its absolute path. RefusedError `bad_data_folder` names the remedy. */
export function prepareDataFolder(dir: string): string {
  const path = resolve(dir)
  try {
    mkdirSync(path, { recursive: true })
  } catch (cause) {
    throw refused(path, `cannot be made (${codeOf(cause)})`, cause)
  }
  if (!statSync(path).isDirectory()) throw refused(path, 'is not a folder')
  try {
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (cause) {
    throw refused(path, `cannot be written (${codeOf(cause)})`, cause)
  }
  return path
}

function refused(path: string, what: string, cause?: unknown): RefusedError {
  return new RefusedError(`The data folder ${path} ${what}. Point KODO_EXEC_DIR at a folder that this user may write, or correct its owner and mode.`, {
    code: 'bad_data_folder',
    cause,
  })
}

function codeOf(error: unknown): string {
  return (error as { code?: string }).code ?? String(error)
}
