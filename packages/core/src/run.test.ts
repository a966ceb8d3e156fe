// Goal: folding a legal run gives what its events say, and an impossible step throws instead of being folded. Method: a table of all transitions, generated whole runs compared with plain
// recounts of their events, and walks that try every status in every state.
import { recordedRun, recordedRuns } from '@koco/testing'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeEvent } from './codec.ts'
import { AssertionError, must } from './errors.ts'
import type { EventData, EventKind, RunEvent } from './event.ts'
import { comparePositions, ORIGIN } from './position.ts'
import { advance, evolve, ImpossibleTransitionError, newRunState, type NewRun, type RunState } from './run.ts'
import { isEnded, isRunStatus, mayFollow, RUN_STATUSES, type RunStatus } from './status.ts'

const RUN: NewRun = { fid: '6ab13b80c0ffee00c0ffee00', flow: 'f', version: null, user: 'ann', summary: '', tags: [], parent: null, inputs: {}, createdAt: 100 }
const tokens = { input_uncached: 1, cache_read: 2, cache_write: 3, output: 4, reasoning: 5 }

let seq = 0
function event<K extends EventKind>(kind: K, data: EventData[K], ts = 200): RunEvent {
  seq += 1
  return { fid: RUN.fid, epoch: 1, seq, ts, kind, data } as unknown as RunEvent
}

function fold(events: readonly RunEvent[], from: RunState = newRunState(RUN)): RunState {
  return events.reduce(evolve, from)
}

function at(status: RunStatus): RunState {
  return { ...newRunState(RUN), status }
}

function eventsOf(recorded: { readonly run: NewRun; readonly timeline: readonly Parameters<typeof decodeEvent>[1][] }): RunEvent[] {
  return recorded.timeline.map((record) => must(decodeEvent(recorded.run.fid, record), record.kind))
}

test('transitions are those of the diagram and no others', () => {
  const live = ['running', 'awaiting', 'paused', 'error', 'cancelled', 'timed_out']
  const next = Object.fromEntries(RUN_STATUSES.map((from) => [from, RUN_STATUSES.filter((to) => mayFollow(from, to))]))
  expect(next).toEqual({
    starting: ['starting', ...live],
    running: ['running', 'awaiting', 'paused', 'finished', 'error', 'cancelled', 'timed_out'],
    awaiting: live,
    paused: live,
    finished: [],
    error: [],
    cancelled: [],
    timed_out: [],
  })
  expect(RUN_STATUSES.filter(isEnded)).toEqual(['finished', 'error', 'cancelled', 'timed_out'])
})

test('only the eight words are statuses', () => {
  expect(['running', 'Running', '', null, 1, 'toString'].map(isRunStatus)).toEqual([true, false, false, false, false, false])
})

test('from every status, exactly the transitions of the diagram fold', () => {
  fc.assert(
    fc.property(fc.constantFrom(...RUN_STATUSES), fc.constantFrom(...RUN_STATUSES), (from, to) => {
      const enter = () => evolve(at(from), event('status', { status: to }))
      if (mayFollow(from, to)) expect(enter().status).toBe(to)
      else expect(enter).toThrow(ImpossibleTransitionError)
    }),
  )
})

test('a random walk of statuses and retries folds as long as every step is in the diagram', () => {
  const step = fc.oneof(fc.constantFrom(...RUN_STATUSES), fc.constant('retry' as const))
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      let state = newRunState(RUN)
      for (const to of steps) {
        const next = to === 'retry' ? event('attempt', { attempt: 1, reason: 'retry', owner: 'w' }) : event('status', { status: to })
        const legal = to === 'retry' || mayFollow(state.status, to)
        if (!legal) {
          expect(() => evolve(state, next)).toThrow(`run ${RUN.fid} cannot go from ${state.status} to ${to}`)
          continue
        }
        state = evolve(state, next)
        expect(state.finishedAt === null).toBe(!isEnded(state.status))
      }
    }),
  )
})

test('a folded run agrees with a recount of its events', () => {
  fc.assert(
    fc.property(recordedRuns(120), (recorded) => {
      const events = eventsOf(recorded)
      const state = fold(events, newRunState(recorded.run))
      const of = <K extends EventKind>(kind: K) => events.filter((one): one is Extract<RunEvent, { kind: K }> => one.kind === kind)
      expect(state.events).toBe(events.length)
      expect(comparePositions(state.lastPosition, events.at(-1) ?? ORIGIN)).toBe(0)
      expect(state.status).toBe(of('status').at(-1)?.data.status)
      expect(state.attempt).toBe(of('attempt').filter((one) => one.data.reason !== 'finalise').length)
      expect(state.openLocks).toBe(of('lock').length - of('lease').length)
      expect(state.usage?.calls ?? 0).toBe(of('model').length)
      expect(state.startedAt).toBe(of('status').find((one) => one.data.status !== 'starting')?.ts)
      expect(state.finishedAt).toBe(isEnded(state.status) ? of('status').at(-1)?.ts : null)
      expect(state.progress).toEqual(of('progress').at(-1)?.data ?? null)
    }),
  )
})

test('folding in two parts gives what folding in one gives', () => {
  const recorded = recordedRun(3, 500)
  const events = eventsOf(recorded)
  const whole = fold(events, newRunState(recorded.run))
  for (const cut of [0, 1, 250, events.length]) expect(fold(events.slice(cut), fold(events.slice(0, cut), newRunState(recorded.run)))).toEqual(whole)
})

test('an event at or below the last position is refused, a later epoch with a lower seq is not', () => {
  const state = { ...newRunState(RUN), lastPosition: { epoch: 5, seq: 7 } }
  const stdout = (epoch: number, number: number): RunEvent => ({ fid: RUN.fid, epoch, seq: number, ts: 1, kind: 'stdout', data: { text: '' } })
  expect(() => evolve(state, stdout(5, 7))).toThrow('event 5-7 of run 6ab13b80c0ffee00c0ffee00 is not above 5-7')
  expect(() => evolve(state, stdout(4, 8))).toThrow(AssertionError)
  expect(evolve(state, stdout(6, 1)).lastPosition).toEqual({ epoch: 6, seq: 1 })
})

test('a retry takes the end back and keeps what was spent', () => {
  const ended = fold([
    event('attempt', { attempt: 1, reason: 'start', owner: 'w' }),
    event('status', { status: 'running' }),
    event('model', { provider: 'p', model: 'm', duration_s: 1, tokens, cost: 0.5 }),
    event('error', { name: 'Error', message: 'm' }),
    event('status', { status: 'error' }, 300),
  ])
  expect(ended).toMatchObject({ status: 'error', finishedAt: 300, error: { message: 'm' }, attempt: 1 })
  const again = fold([event('attempt', { attempt: 2, reason: 'retry', owner: 'w' })], ended)
  expect(again).toMatchObject({ status: 'starting', finishedAt: null, error: null, final: null, attempt: 2, usage: { calls: 1, cost: 0.5 }, startedAt: 200 })
})

test('the end of a run by a finaliser is no try of its own', () => {
  const state = fold([
    event('attempt', { attempt: 1, reason: 'start', owner: 'w' }),
    event('attempt', { attempt: 1, reason: 'finalise', owner: 'w' }),
    event('status', { status: 'timed_out' }),
  ])
  expect(state).toMatchObject({ attempt: 1, status: 'timed_out' })
})

test('a wait says when it ends by itself, and what follows takes that back', () => {
  const waiting = fold([event('status', { status: 'running' }), event('status', { status: 'awaiting', until: 900 })])
  expect(waiting.wakeAt).toBe(900)
  expect(fold([event('status', { status: 'running' })], waiting).wakeAt).toBeNull()
  expect(fold([event('status', { status: 'cancelled' })], waiting).wakeAt).toBeNull()
  const resting = fold([event('status', { status: 'awaiting', until: 900, deaths: 3 })], waiting)
  expect([waiting.deaths, resting.deaths, fold([event('status', { status: 'running' })], resting).deaths]).toEqual([0, 3, 0])
})

test('usage sums token classes; the cost is null until one is known', () => {
  const model = (cost: number | null) => event('model', { provider: 'p', model: 'm', duration_s: 1, tokens, cost })
  const unknown = fold([model(null), model(null)])
  expect(unknown.usage).toEqual({ calls: 2, input_uncached: 2, cache_read: 4, cache_write: 6, output: 8, reasoning: 10, cost: null })
  expect(fold([model(0), model(null), model(0.25)], unknown).usage?.cost).toBe(0.25)
})

test('meta names the run, and a parent that is known stays', () => {
  const meta = { flow: 'trip', version: '2', summary: 's', tags: ['a'], user: 'bob' }
  expect(evolve({ ...newRunState(RUN), parent: 'p' }, event('meta', meta))).toMatchObject({ ...meta, parent: 'p' })
  expect(evolve(newRunState(RUN), event('meta', { ...meta, parent: 'q' })).parent).toBe('q')
})

test('counting without looking moves position and count only', () => {
  const state = newRunState(RUN)
  expect(advance(state, { epoch: 3, seq: 4 })).toEqual({ ...state, events: 1, lastPosition: { epoch: 3, seq: 4 } })
})

test('folding changes nothing that was there before', () => {
  const state = Object.freeze(newRunState(RUN))
  evolve(state, event('status', { status: 'running' }))
  expect(state).toEqual(newRunState(RUN))
})
