import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { must } from '@koco/core'
import { openExecutionStore } from '@koco/storage'
import type { PostgresServer } from '@koco/testing'
import { Redis } from 'ioredis'
import { Client } from 'pg'
import { serverCpuSeconds } from './cpu.ts'
import { benchRecords, benchRun } from './rows.ts'

const SINGLE_ROWS = 2000
const COLUMNS = 'fid, epoch, seq, username, timestamp, kind, step, message'

/** Rows a second, and CPU seconds of the server, of `COPY` from a file on the server into our table with all its indexes: no client, no network, nothing to beat it. */
export async function copyRate(postgres: PostgresServer, rows: number, runs: number): Promise<{ readonly rate: number; readonly cpu: number }> {
  const dir = await mkdtemp(join(tmpdir(), 'koco-copy-'))
  await chmod(dir, 0o755)
  const file = join(dir, 'rows.tsv')
  await writeFile(file, copyText(rows, runs), { mode: 0o644 })
  let cpu = 0
  const seconds = await inOurTable(postgres, async (client) => {
    const before = await serverCpuSeconds(postgres.pid)
    await client.query(`COPY execution_events (${COLUMNS}) FROM '${file}'`)
    cpu = (await serverCpuSeconds(postgres.pid)) - before
  })
  await rm(dir, { recursive: true })
  return { rate: rows / seconds, cpu }
}

/** Bytes of the events' table with its indexes, and of the indexes alone. */
export async function tableSizes(url: string): Promise<{ readonly all: number; readonly indexes: number }> {
  const rows = await ask<{ all: number; indexes: number }>(
    url,
    `select pg_total_relation_size('execution_events')::float8 as all, pg_indexes_size('execution_events')::float8 as indexes`,
  )
  return must(rows[0], 'sizes')
}

/** Bytes of each index of the events' table. */
export async function indexSizes(url: string): Promise<readonly { readonly name: string; readonly bytes: number }[]> {
  return await ask(
    url,
    `select indexrelid::regclass::text as name, pg_relation_size(indexrelid)::float8 as bytes from pg_index where indrelid = 'execution_events'::regclass order by 1`,
  )
}

async function ask<Row extends object>(url: string, text: string): Promise<Row[]> {
  const client = new Client({ connectionString: url })
  await client.connect()
  const { rows } = await client.query<Row>(text)
  await client.end()
  return rows
}

/** Events a second of the usual way: a consumer that takes one entry from Redis, inserts it, commits, acknowledges, and takes the next. */
export async function oneRowPerCommitRate(postgres: PostgresServer, redisUrl: string): Promise<number> {
  const redis = new Redis(redisUrl)
  await redis.xgroup('CREATE', 'usual', 'way', '0', 'MKSTREAM')
  const records = benchRecords(1_700_000_000_000, SINGLE_ROWS)
  for (const { epoch, seq, ts, kind, data } of records) await redis.xadd('usual', `${epoch}-${seq}`, 'kind', kind, 'ts', ts, 'data', data)
  const seconds = await inOurTable(postgres, (client) => consumeOneByOne(redis, client))
  redis.disconnect()
  return SINGLE_ROWS / seconds
}

async function consumeOneByOne(redis: Redis, client: Client): Promise<void> {
  const text = `INSERT INTO execution_events (${COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`
  for (let done = 0; done < SINGLE_ROWS; done += 1) {
    const read = (await redis.xreadgroup('GROUP', 'way', 'one', 'COUNT', 1, 'STREAMS', 'usual', '>')) as [string, [string, string[]][]][]
    const [id = '', [, kind, , ts, , data] = []] = read[0]?.[1][0] ?? []
    const [epoch, seq] = id.split('-')
    await client.query({ name: 'single', text, values: [benchRun(0).fid, epoch, seq, 'bench', ts, kind, null, data] })
    await redis.xack('usual', 'way', id)
  }
}

async function inOurTable(postgres: PostgresServer, work: (client: Client) => Promise<unknown>): Promise<number> {
  await using database = await postgres.createDatabase()
  const store = await openExecutionStore({ url: database.url, migrate: true })
  await store.close()
  const client = new Client({ connectionString: database.url })
  await client.connect()
  const start = performance.now()
  await work(client)
  const seconds = (performance.now() - start) / 1000
  await client.end()
  return seconds
}

/** The rows in COPY's text form, interleaved in pieces of 50 as several runs at once would write them. */
function copyText(rows: number, runs: number): string {
  const each = benchRecords(1_700_000_000_000, rows / runs)
  const lines: string[] = []
  for (let from = 0; from < each.length; from += 50) {
    for (let run = 0; run < runs; run += 1) {
      for (const { epoch, seq, ts, kind, data } of each.slice(from, from + 50))
        lines.push(`${benchRun(run).fid}\t${epoch}\t${seq}\tbench\t${ts}\t${kind}\t\\N\t${data}`)
    }
  }
  return `${lines.join('\n')}\n`
}
