import { Kysely, PostgresDialect } from 'kysely'
import { Pool, types, type PoolConfig } from 'pg'

const CONNECT_MS = 5_000
const LOCK_MS = 10_000
const STATEMENT_MS = 30_000
/** The client gives up a little after the server should have: only a server that is silent, paused or cut off, gets there. */
const SILENT_MS = STATEMENT_MS + 5_000

/** `poolMax`: connections at most, at least 1. `statementMs`: how long one statement may take, default 30,000. */
export type PostgresOptions = { readonly poolMax: number; readonly statementMs?: number }

/** A bounded pool: every wait in it ends (connecting, locks, statements, silence). 64-bit numbers come as JS numbers. */
export function openPool(url: string, { poolMax, statementMs = STATEMENT_MS }: PostgresOptions): Pool {
  const config: PoolConfig = {
    connectionString: url,
    max: poolMax,
    application_name: 'koco',
    connectionTimeoutMillis: CONNECT_MS,
    idleTimeoutMillis: 30_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    statement_timeout: statementMs,
    lock_timeout: Math.min(LOCK_MS, statementMs),
    idle_in_transaction_session_timeout: SILENT_MS,
    query_timeout: statementMs === STATEMENT_MS ? SILENT_MS : statementMs + 1_000,
    // Statements are sent without waiting for the answers to those before them.
    pipeline: true,
    types: { getTypeParser: (oid, format) => (oid === types.builtins.INT8 ? Number : types.getTypeParser(oid, format)) },
  }
  const pool = new Pool(config)
  // An idle connection that breaks has already been taken out of the pool; whoever needs one gets a new one, or the error.
  pool.on('error', () => undefined)
  // One that breaks between two statements of its borrower tells these: the next one fails.
  pool.on('connect', (client) => client.on('error', () => undefined))
  return pool
}

/** A query builder over a pool; closing it closes the pool. */
export function openKysely(pool: Pool): Kysely<unknown> {
  return new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) })
}
