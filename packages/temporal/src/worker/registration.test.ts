// Goal: a worker that has left is on no list, even when the store was slow with its last heartbeat. Method: a list whose heartbeats end when they are let.
import { createCatalog, systemClock } from '@koco/flow'
import type { FlowRegistry } from '@koco/storage'
import { expect, test } from 'vitest'
import { Registration } from './registration.ts'

test('a heartbeat under way comes before the leaving', async () => {
  const listed = new Set<string>()
  let slow: PromiseWithResolvers<void> | undefined
  const flows: FlowRegistry = {
    async heartbeat({ id }) {
      await slow?.promise
      listed.add(id)
    },
    async leave(id) {
      listed.delete(id)
    },
    list: () => Promise.resolve([]),
  }
  const catalog = createCatalog([])
  const registration = new Registration({ id: 'w', flows, catalog, clock: systemClock, log: () => undefined })
  await registration.open()
  expect([...listed]).toEqual(['w'])
  slow = Promise.withResolvers<void>()
  catalog.replace([])
  const closed = registration.close()
  setImmediate(slow.resolve)
  await closed
  await new Promise(setImmediate)
  expect([...listed]).toEqual([])
})
