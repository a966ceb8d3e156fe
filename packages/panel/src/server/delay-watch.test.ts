// Goal: whoever looks learns since when events are delayed and why, whatever the cause, and that it is over. Method: a watch over answers and a clock that the test sets.
import type { ConsumerStatus } from '@koco/transport'
import { Registry } from 'prom-client'
import { expect, test } from 'vitest'
import { createDelayWatch } from './delay-watch.ts'

function setup() {
  const said: string[] = []
  const now = { ms: 1_000_000 }
  const facts: { checks: Record<string, string>; consumers: ConsumerStatus[] } = { checks: { store: 'ok', admin: 'ok', transport: 'ok' }, consumers: [] }
  const registry = new Registry()
  const log = { info: (_fields: object, text: string) => void said.push(text), warn: (_fields: object, text: string) => void said.push(text) }
  const watch = createDelayWatch({ checks: async () => facts.checks, consumers: async () => facts.consumers, registry, log, clock: () => now.ms })
  const later = (ms: number) => {
    now.ms += ms
    return watch.look()
  }
  return { said, facts, registry, later, close: () => watch.close() }
}

test('a store that is away delays events from the first look on until it is back', async () => {
  const { facts, later, said, registry, close } = setup()
  expect(await later(5000)).toBeNull()
  facts.checks['store'] = 'store_unavailable'
  expect(await later(5000)).toEqual({ since: 1010, because: 'store_unavailable' })
  expect(await later(60_000)).toEqual({ since: 1010, because: 'store_unavailable' })
  expect(await registry.metrics()).toContain('koco_events_delayed_seconds 60')
  facts.checks['store'] = 'ok'
  expect(await later(5000)).toBeNull()
  expect(said).toEqual([expect.stringContaining('events are delayed (store_unavailable)'), 'events are stored as they come again'])
  expect(await registry.metrics()).toContain('koco_events_delayed_seconds 0')
  close()
})

test('events that no spooler takes, and events that one does not bring home, are delayed as well; short waits are not', async () => {
  const { facts, later, close } = setup()
  facts.consumers = [{ name: '', streams: 1, lag: 3, oldestPendingMs: null }]
  expect(await later(5000)).toBeNull()
  expect(await later(16_000)).toEqual({ since: 1005, because: 'no_spooler' })
  facts.consumers = [{ name: 'one', streams: 1, lag: 3, oldestPendingMs: 9000 }]
  expect(await later(5000)).toBeNull()
  facts.consumers = [{ name: 'one', streams: 1, lag: 3, oldestPendingMs: 30_000 }]
  expect(await later(5000)).toEqual({ since: 1001, because: 'spoolers_behind' })
  close()
})
