import { RefusedError } from '@koco/core'

/** Where a store lies: a SQLite file, or the plain address of a Postgres database. */
export type DatabaseUrl = { readonly kind: 'sqlite'; readonly path: string } | { readonly kind: 'postgres'; readonly url: string }

const FORMS = 'sqlite:///./folder/file.db (a path from here), sqlite:////folder/file.db (an absolute path) or postgresql://user:password@host:5432/database'
const SCHEME = /^([a-z][a-z0-9]*)(?:\+[a-z0-9_]+)?:\/\/(.*)$/is

/**
 * Reads a database address in its plain form or in SQLAlchemy's (`postgresql+asyncpg://…`, `sqlite+aiosqlite:///./x.db`); the driver in it is passed over.
 * Throws RefusedError `bad_database_url` with the accepted forms; the message never shows a password.
 */
export function parseDatabaseUrl(text: string): DatabaseUrl {
  const [, scheme = '', rest = ''] = SCHEME.exec(text.trim()) ?? []
  switch (scheme.toLowerCase()) {
    case 'sqlite':
      return { kind: 'sqlite', path: sqlitePath(text, rest) }
    case 'postgres':
    case 'postgresql':
      return { kind: 'postgres', url: postgresUrl(text, rest) }
    default:
      throw refused(text, scheme === '' ? 'has no scheme' : `names ${scheme}, which koco cannot use`)
  }
}

/** An address as messages and logs may show it: the password is replaced by ***, also in one whose scheme is mistyped or left out. */
export function maskDatabaseUrl(text: string): string {
  return text.replace(/(^|\/\/)([^:@/\s]*):(?!\/\/).*@/, '$1$2:***@').replace(/([?&](?:password|sslpassword)=)[^&]*/gi, '$1***')
}

function sqlitePath(text: string, rest: string): string {
  const path = rest.replace(/\?.*$/, '')
  if (!path.startsWith('/')) throw refused(text, 'needs three slashes before a path from here, four before an absolute one')
  const file = decode(text, path.slice(1))
  if (file === '' || file === ':memory:') throw refused(text, 'names no file, so nothing in it would outlive the process')
  if (file.includes('\0') || file.endsWith('/')) throw refused(text, 'names no file')
  return file
}

function postgresUrl(text: string, rest: string): string {
  const url = `postgresql://${rest}`
  const parsed = URL.parse(url)
  if (!parsed) throw refused(text, 'is not well formed; write @ : / ? # in a password as %40 %3A %2F %3F %23')
  if (parsed.pathname.length < 2) throw refused(text, 'names no database')
  // asyncpg says `ssl`, libpq and pg say `sslmode`.
  const ssl = parsed.searchParams.get('ssl')
  if (ssl === null || parsed.searchParams.has('sslmode')) return url
  parsed.searchParams.delete('ssl')
  parsed.searchParams.set('sslmode', ssl)
  return parsed.href
}

function decode(text: string, part: string): string {
  try {
    return decodeURIComponent(part)
  } catch (error) {
    throw refused(text, 'has a broken % escape; write a plain percent sign as %25', error)
  }
}

function refused(text: string, why: string, cause?: unknown): RefusedError {
  const message = `The database address "${maskDatabaseUrl(text)}" ${why}. Write ${FORMS}.`
  return new RefusedError(message, { code: 'bad_database_url', cause })
}
