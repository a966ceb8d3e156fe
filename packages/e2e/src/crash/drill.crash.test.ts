// Goal: `koco drill` breaks what it says, is judged by the checker, prints what programs read, and leaves the installation as it was. Method: the command against a Redis and a Temporal of the test's own; the whole of it takes
// minutes and is for people, three drills stand for the rest.
import { startRedis, startTemporal } from '@koco/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createInstallation, type Installation } from '../processes/installation.ts'

type Report = {
  readonly drill: string
  readonly ok: boolean
  readonly seconds: number
  readonly checker: { readonly acknowledged: number; readonly stored: number; readonly duplicates: number; readonly holes: number }
  readonly note: string
}

let installation: Installation
const stops: (() => Promise<void>)[] = []

beforeAll(async () => {
  const [redis, temporal] = await Promise.all([startRedis(), startTemporal()])
  stops.push(
    () => redis.stop(),
    () => temporal.stop(),
  )
  installation = await createInstallation({
    KODO_EVENT_TRANSPORT: 'redis',
    KODO_REDIS_URL: redis.url,
    KODO_EXECUTION_MODE: 'temporal',
    KODO_TEMPORAL_HOST: temporal.address,
  })
})

afterAll(async () => {
  await installation.close()
  await Promise.all(stops.map((stop) => stop()))
})

test('a killed worker, a workflow terminated in Temporal, a cancel: each goes well, and the checker counts', async () => {
  const drill = installation.spawn(['drill', 'worker', 'terminate', 'cancel', '-o', 'json'])
  const code = await drill.exited
  const output = drill.output()
  const reports = JSON.parse(output.slice(output.indexOf('\n[') + 1, output.lastIndexOf(']') + 1)) as Report[]
  expect(
    reports.map(({ drill: name, ok }) => `${name} ${ok}`),
    output,
  ).toEqual(['worker true', 'terminate true', 'cancel true'])
  expect(code).toBe(0)
  for (const { checker, seconds, note } of reports) {
    expect(checker).toMatchObject({ duplicates: 0, holes: 0 })
    expect(checker.acknowledged).toBeGreaterThan(10)
    expect(checker.stored).toBeGreaterThanOrEqual(checker.acknowledged)
    expect(seconds).toBeGreaterThan(0)
    expect(note).toMatch(/\(run [0-9a-f]{24}\)$/)
  }
})

test('what was drilled with is in no list', async () => {
  await installation.startPanel('serve')
  const client = await installation.client()
  expect(await client.json('GET', '/api/runs')).toMatchObject({ items: [] })
  expect(await client.json('GET', '/api/flows')).toMatchObject({ items: [] })
})
