// Goal: what TESTING.md says of Postgres' replicas: a standby is answered like a server that is away, and once it is promoted behind the same address koco goes on, with every event once.
// Method: a primary that commits only what its standby has, behind one address, which is led to the standby as a failover does.
import { UnavailableError } from '@koco/core'
import { startFaultProxy, startPostgres } from '@koco/testing'
import { Client } from 'pg'
import { expect, test } from 'vitest'
import { plainRun, someFid, someRun, START, timeline } from '../contract/scenario.ts'
import { createPostgresExecutionStore } from './store.ts'

const E1 = START * 1000

async function ask(url: string, ...statements: string[]): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  for (const statement of statements) await client.query(statement)
  await client.end()
}

test('a standby takes no writes; promoted, it goes on where the primary was', async () => {
  await using primary = await startPostgres()
  await using standby = await startPostgres({ standbyOf: primary })
  await ask(primary.url, `alter system set synchronous_standby_names = '*'`, 'select pg_reload_conf()')
  await using proxy = await startFaultProxy({ port: primary.port })
  const database = await primary.createDatabase()
  const store = await createPostgresExecutionStore({ url: proxy.url(database.url), migrate: true })
  const runs = Array.from({ length: 5 }, () => ({ fid: someFid(), records: plainRun(E1, 293) }))
  for (const { fid } of runs) await store.runs.create(someRun(fid))
  const part = (from: number, to: number) => runs.map(({ fid, records }) => ({ fid, records: records.slice(from, to) }))
  await store.writer.write(part(0, 100))
  await store.writer.write(part(100, 110))
  await primary.kill()
  proxy.lead({ port: standby.port })
  proxy.cut()
  await expect(store.writer.write(part(100, 200))).rejects.toBeInstanceOf(UnavailableError)
  await expect(store.check()).rejects.toThrow(/read-only.*takes writes/)
  await ask(standby.url, 'select pg_promote()')
  const { runs: outcomes, alarms } = await store.writer.write(part(100, 300))
  expect(outcomes.map(({ inserted, duplicates }) => [inserted, duplicates])).toEqual(runs.map(() => [190, 10]))
  expect(alarms).toEqual([])
  for (const { fid, records } of runs) {
    expect(await timeline(store, fid, 100)).toEqual(records)
    expect(await store.runs.get(fid)).toMatchObject({ status: 'finished', events: 300 })
  }
  await store.close()
})
