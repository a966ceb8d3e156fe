import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { EventRecord } from '@koco/core'
import { startFaultProxy, startPostgres, startRedis, type FaultProxy, type PostgresServer, type RedisServer } from '@koco/testing'
import { Client } from 'pg'
import { createInstallation } from '../processes/installation.ts'
import { Evidence } from './evidence.ts'
import { Subject } from './subject.ts'
import type { World } from './world.ts'

const FLOWS = fileURLToPath(new URL('../flows/crash-flows.ts', import.meta.url))

/** Panel with its runs, two spoolers, Redis that keeps its data, Postgres; every link goes through a fault proxy. */
export type DistributedWorld = World & {
  readonly spoolers: readonly Subject[]
  readonly redis: RedisServer
  readonly postgres: PostgresServer
  /** The address of koco's database, past the proxies. */
  readonly databaseUrl: string
  readonly links: { readonly panelToRedis: FaultProxy; readonly spoolersToRedis: FaultProxy; readonly spoolersToPostgres: FaultProxy }
}

/** Starts one. `env`: what all its processes are told besides; `spoolers`: how many (two). */
export async function distributedWorld(env: Readonly<Record<string, string>> = {}, spoolers = 2): Promise<DistributedWorld> {
  const redis = await startRedis({ config: { appendonly: 'yes', appendfsync: 'everysec' } })
  const postgres = await startPostgres({ config: { max_connections: '80', fsync: 'off' } })
  const database = await postgres.createDatabase()
  const panelToRedis = await startFaultProxy({ port: redis.port })
  const spoolersToRedis = await startFaultProxy({ port: redis.port })
  const spoolersToPostgres = await startFaultProxy({ port: postgres.port })
  const settings = { KODO_FLOWS: FLOWS, KODO_EVENT_TRANSPORT: 'redis', KODO_REDIS_URL: panelToRedis.url(redis.url), KODO_EXECUTION_DATABASE: database.url }
  const installation = await createInstallation({ ...settings, KODO_LOG_LEVEL: 'info', ...env })
  const evidence = new Evidence()
  const witness = join(installation.dir, 'witness')
  mkdirSync(witness)
  await installation.spawn(['db', '--create-tables'], { heard: evidence.hear }).exited
  const panel = new Subject('panel', () => installation.startPanel('serve', [], { heard: evidence.hear }))
  const far = { KODO_REDIS_URL: spoolersToRedis.url(redis.url), KODO_EXECUTION_DATABASE: spoolersToPostgres.url(database.url) }
  const spool = (name: string) =>
    new Subject(name, async () => {
      const child = installation.spawn(['spool', '--block', '--spooler-name', name], { env: far, heard: evidence.hear })
      await child.until(() => child.output().includes(`spooler ${name} runs`))
      return child
    })
  const all = Array.from({ length: spoolers }, (_none, index) => spool(`spooler-${index + 1}`))
  await Promise.all([panel, ...all].map((subject) => subject.start()))
  evidence.watch(installation.address)
  return {
    panel,
    spoolers: all,
    client: await installation.client(),
    evidence,
    witness,
    redis,
    postgres,
    databaseUrl: database.url,
    links: { panelToRedis, spoolersToRedis, spoolersToPostgres },
    stored: (fid) => rowsOf(database.url, fid),
    async close() {
      evidence.close()
      await installation.close()
      await Promise.all([panelToRedis.close(), spoolersToRedis.close(), spoolersToPostgres.close(), redis.stop(), postgres.stop()])
    },
  }
}

/** Every row of a run, read past koco. */
async function rowsOf(url: string, fid: string): Promise<EventRecord[]> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    const { rows } = await client.query<Omit<EventRecord, 'epoch' | 'seq'> & { readonly epoch: string; readonly seq: string }>(
      'SELECT epoch, seq, timestamp AS ts, kind, step, message AS data FROM execution_events WHERE fid = $1 ORDER BY id',
      [fid],
    )
    return rows.map((row) => ({ ...row, epoch: Number(row.epoch), seq: Number(row.seq) }))
  } finally {
    await client.end()
  }
}
