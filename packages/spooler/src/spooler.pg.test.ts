// Goal: the spooler's promises, distributed: Redis Streams and Postgres. Method: the contract suite; then what only Redis can do: strangers in a stream.
import { connect } from 'node:net'
import { must } from '@koco/core'
import { migrateExecutionStore, openExecutionStore } from '@koco/storage'
import { createDatabase, keyPrefix, plainRun } from '@koco/testing'
import { createRedisTransport } from '@koco/transport/redis'
import { expect, inject, test } from 'vitest'
import { appendRun, createRun, eventually, startSpooler, stored, violations, type SpoolerFixture } from './contract/fixture.ts'
import { describeSpooler } from './contract/spooler-suite.ts'

async function open(streamPrefix = `${keyPrefix()}events:`): Promise<SpoolerFixture> {
  const database = await createDatabase(inject('postgresUrl'))
  await migrateExecutionStore({ url: database.url })
  const store = await openExecutionStore({ url: database.url })
  const options = { url: inject('redisUrl'), streamPrefix, leaseMs: 500 }
  const transport = createRedisTransport(options)
  const others: { close(): Promise<void> }[] = []
  return {
    store,
    transport,
    async links(name) {
      const own = createRedisTransport(options)
      others.push(own)
      return { consumer: own.consumer(name), signals: own.signals, kill: () => own.close() }
    },
    async dispose() {
      for (const one of [...others, transport, store]) await one.close()
      await database.drop()
    },
  }
}

/** One command as a stranger would send it, past the transport. */
function tellRedis(command: string): Promise<void> {
  const { hostname, port } = new URL(inject('redisUrl'))
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => socket.write(`${command}\r\n`))
    socket.once('error', reject)
    socket.once('data', (answer) => {
      socket.destroy()
      if (answer.toString().startsWith('-')) reject(new Error(answer.toString()))
      else resolve()
    })
  })
}

describeSpooler('Redis and Postgres', open)

test('what a stranger wrote into a stream is an alarm and set aside, the events before it are stored', async () => {
  const prefix = `${keyPrefix()}events:`
  const fixture = await open(prefix)
  const run = plainRun(60, 20)
  await createRun(fixture, run)
  await appendRun(fixture, run, 20)
  const last = must(run.timeline.at(-1), 'the last event')
  await tellRedis(`XADD ${prefix}${run.run.fid} ${last.epoch}-${last.seq + 1} hello "wor\\x00ld"`)
  const alarms: string[] = []
  const dead: string[] = []
  const { spooler } = await startSpooler(fixture, 'one', { metrics: { alarm: (alarm) => alarms.push(alarm), dead: (reason) => dead.push(reason) } })
  await stored(fixture.store, run)
  await eventually(() => dead.length > 0)
  expect(alarms).toEqual(['foreign'])
  expect(await violations(fixture.store, run)).toEqual([])
  const { items } = await fixture.store.dead.list({ limit: 10 })
  expect(items).toMatchObject([{ fid: run.run.fid, position: `${last.epoch}-${last.seq + 1}` }])
  expect(items[0]?.body).toContain('hello')
  await spooler.stop(1000)
  await fixture.dispose()
})
