import type { Client, Pool, PoolClient } from 'pg'

type Settled<T extends readonly unknown[]> = { -readonly [I in keyof T]: Awaited<T[I]> }

/**
 * Sends statements together, in one packet where they fit, and gives their answers. Waits for all of them, so that none is left on the connection, then throws the
 * first error: those behind it only say that the transaction is aborted. `send` must start all of them before it returns.
 */
export async function inPipeline<const T extends readonly Promise<unknown>[]>(client: Client, send: () => T): Promise<Settled<T>> {
  const outcomes = await Promise.allSettled(corked(client, send))
  const failed = outcomes.find((outcome) => outcome.status === 'rejected')
  if (failed) throw failed.reason
  return outcomes.map((outcome) => (outcome as PromiseFulfilledResult<unknown>).value) as Settled<T>
}

/** A system call a statement would cost more than everything else that a small write does here. */
function corked<T>(client: Client, send: () => T): T {
  const { stream } = client.connection
  stream.cork()
  try {
    return send()
  } finally {
    stream.uncork()
  }
}

/** Lends a connection to `act`. After an error the transaction is rolled back; a connection on which even that fails is thrown away. */
export async function withClient<T>(pool: Pool, act: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect()
  let broken: unknown
  try {
    return await act(client)
  } catch (error) {
    broken = await client.query('rollback').then(
      () => undefined,
      (failure: unknown) => failure,
    )
    throw error
  } finally {
    client.release(broken !== undefined)
  }
}
