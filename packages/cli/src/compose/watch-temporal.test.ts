// Goal: an operator is told once that Temporal went away and once that it is back. Method: a server that answers as the test says, asked every few ms.
import { Registry } from 'prom-client'
import { expect, test } from 'vitest'
import { watchTemporal } from './watch-temporal.ts'

test('away and back are one line each, and the figure follows', async () => {
  const said: string[] = []
  const log = {
    info: (_fields: unknown, text?: unknown) => void said.push(String(text)),
    warn: (_fields: unknown, text?: unknown) => void said.push(String(text)),
  }
  const registry = new Registry()
  let [away, asked] = [false, 0]
  const call = async (): Promise<never> => {
    asked += 1
    if (away) throw new Error('no connection')
    return undefined as never
  }
  const end = watchTemporal({ call }, log, registry, 2)
  const looks = (count: number) => expect.poll(() => asked, { interval: 2 }).toBeGreaterThan(asked + count)
  await looks(2)
  expect(said).toEqual([])
  away = true
  await looks(3)
  expect(await registry.metrics()).toContain('koco_temporal_up 0')
  away = false
  await looks(3)
  expect(said).toEqual([expect.stringContaining('does not answer'), 'Temporal is back'])
  expect(await registry.metrics()).toContain('koco_temporal_up 1')
  end()
})
