// Goal: a hundred people with two sockets each talk for a minute: everything is answered and seen on both, and when they have left nothing of them is left: no memory, no socket, no lease, no file.
// Method: one `koco start`, real sign-ins, turns and sockets. How long answers took is told, not judged: the machine is not alone; the bench judges it.
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { percentile } from '../bench/figure.ts'
import { load } from './load.ts'

// The heap between two collections says nothing of leaks: on a busy machine the great ones come late.
const COLLECT = fileURLToPath(new URL('collect-garbage.mjs', import.meta.url))

test('100 users × 2 sockets for 60 s', async () => {
  const result = await load({ users: 100, socketsEach: 2, seconds: 60, talkEveryS: 20 }, { NODE_OPTIONS: `--import ${COLLECT}` })
  const { asked, failed, turns, roundTrips, turnTimes, heap, files, socketsLeft, hasRoom, messagesPerSecond } = result
  const told = `${asked} asked, ${failed} failed, ${turns} turns, ${Math.round(messagesPerSecond)} messages/s; ping p95 ${percentile(roundTrips, 0.95).toFixed(1)} ms, turn p95 ${percentile(turnTimes, 0.95).toFixed(0)} ms`
  process.stdout.write(`${told}\n`)
  expect(asked, told).toBeGreaterThan(5_000)
  expect(turns, told).toBeGreaterThan(100)
  expect(failed / asked, told).toBeLessThan(0.01)
  expect({ socketsLeft, hasRoom }).toEqual({ socketsLeft: 0, hasRoom: true })
  // Files of runs stay open for the next reader, a hundred at most; what 200 sockets would leave is more.
  expect(files.after).toBeLessThan(files.before + 150)
  expect(heap.last).toBeLessThan(heap.first * 1.5 + 32 * 2 ** 20)
})
