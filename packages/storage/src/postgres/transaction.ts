import type { Pool, PoolClient } from 'pg'

type Settled<T extends readonly unknown[]> = { -readonly [I in keyof T]: Awaited<T[I]> }

/**
 * The answers to statements that were sent together. Waits for all of them, so that none is left on the connection, then throws the first error: those behind it only say
 * that the transaction is aborted.
 */
export async function inPipeline<const T extends readonly Promise<unknown>[]>(sent: T): Promise<Settled<T>> {
  const outcomes = await Promise.allSettled(sent)
  const failed = outcomes.find((outcome) => outcome.status === 'rejected')
  if (failed) throw failed.reason
  return outcomes.map((outcome) => (outcome as PromiseFulfilledResult<unknown>).value) as Settled<T>
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
