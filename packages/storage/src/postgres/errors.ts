import { KocoError, PoisonError, RefusedError, UnavailableError } from '@koco/core'
import { maskDatabaseUrl } from '../url.ts'

// SQLSTATE classes and codes: https://www.postgresql.org/docs/current/errcodes-appendix.html
/** Connection, resources, operator, system; serialisation, deadlock; lock and statement timeouts; read-only (a standby). */
const AWAY = /^(08|53|57|58|40001|40P01|55P03|25P03|25P04|25006)/
/** What the row itself is to blame for. */
const ROW = /^(22|23)/
const NOT_LET_IN = /^(28|3D000|42501)/
const NO_TABLE = /^(42P01|42703|3F000)/
const SOCKET = /^E(CONN|PIPE|TIMEDOUT|NOTFOUND|AI_AGAIN|HOST|NET|ADDR)/
/** What pg says without a code when a connection is gone or silent. */
const DRIVER =
  /connection (terminated|error|timeout)|not queryable|read timeout|timeout exceeded when trying to connect|unexpected .* from backend|pool after calling end|client was closed/i

/** What an error of the driver means for the caller; others are given as they are. `url` is quoted without its password. */
export function postgresError(url: string): (error: unknown) => unknown {
  const where = maskDatabaseUrl(url)
  return (error) => {
    if (!(error instanceof Error) || error instanceof KocoError) return error
    const state = codeOf(error)
    const { message } = error
    if (AWAY.test(state) || SOCKET.test(state) || DRIVER.test(message)) {
      return new UnavailableError(`Postgres at ${where} cannot be used now (${message}). Check that it runs and takes writes; koco tries again.`, {
        code: 'store_unavailable',
        cause: error,
      })
    }
    if (NOT_LET_IN.test(state)) {
      return new RefusedError(`Postgres at ${where} refuses koco (${message}). Create the database and give the user rights on it, or correct the address.`, {
        code: 'database_refused',
        cause: error,
      })
    }
    if (NO_TABLE.test(state)) {
      return new RefusedError(`Tables of koco are missing at ${where} (${message}). Run: koco db --create-tables`, { code: 'schema_older', cause: error })
    }
    if (ROW.test(state)) return new RefusedError(`Postgres cannot store this value: ${message}.`, { code: 'bad_value', cause: error })
    return error
  }
}

/** As `postgresError`, for a batch of events: what a row is to blame for becomes PoisonError `bad_record`. */
export function writeError(url: string): (error: unknown) => unknown {
  const convert = postgresError(url)
  return (error) => {
    if (!(error instanceof Error) || error instanceof KocoError || !ROW.test(codeOf(error))) return convert(error)
    return new PoisonError(`A record cannot be stored: ${error.message}. Set it aside as a dead event.`, { code: 'bad_record', cause: error })
  }
}

/** True when a row was there already: another writer was first. */
export function isUniqueViolation(error: unknown): boolean {
  return error instanceof Error && codeOf(error) === '23505'
}

function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : ''
}

/** True for a deadlock or a serialisation failure: nothing was stored, and the same at once may do. */
export function isWorthAnotherTry(error: unknown): boolean {
  return error instanceof Error && ['40P01', '40001'].includes(codeOf(error))
}
