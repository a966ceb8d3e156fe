import { Client } from 'pg'

/**
 * Takes a session advisory lock on a connection of its own: a function that gives it back, or undefined when another session has it. The server frees it when
 * the connection ends, so it also ends with the process.
 */
export async function takeExclusive(url: string, name: string): Promise<(() => Promise<void>) | undefined> {
  const client = new Client({
    connectionString: url,
    application_name: 'koco exclusive',
    connectionTimeoutMillis: 5_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
  })
  // A broken connection frees the lock on the server; its holder goes on: the epochs fence it as soon as another one starts.
  client.on('error', () => undefined)
  await client.connect()
  try {
    const result = await client.query<{ taken: boolean }>('select pg_try_advisory_lock(hashtextextended($1, 0)) as taken', [`koco ${name}`])
    if (result.rows[0]?.taken === true) return () => client.end()
  } catch (error) {
    await client.end()
    throw error
  }
  await client.end()
  return undefined
}
