import fc from 'fast-check'
import { EVENT_KINDS, RUN_STATUSES, type ErrorValue, type EventData, type EventKind, type NewEvent, type TypedValue } from '@koco/core'
import { json, text } from './values.ts'

const name = () => fc.oneof(fc.constantFrom('find sights', 'fetch', 'summarise'), text())
const count = () => fc.nat({ max: 1_000_000 })
const seconds = () => fc.double({ min: 0, max: 1e6, noNaN: true })
const time = () => fc.double({ min: 1.7e9, max: 2.2e9, noNaN: true })
const user = () => fc.constantFrom('admin', 'ann', 'system')
const textOrNull = () => fc.option(text())

function optional<T>(parts: { readonly [P in keyof T]: fc.Arbitrary<T[P]> }, ...optionalKeys: readonly (keyof T)[]): fc.Arbitrary<T> {
  const requiredKeys = (Object.keys(parts) as (keyof T)[]).filter((key) => !optionalKeys.includes(key))
  return fc.record(parts, { requiredKeys }) as fc.Arbitrary<T>
}

const typed = (): fc.Arbitrary<TypedValue> => fc.record({ type: fc.constantFrom('markdown', 'html', 'text', 'json', 'error'), value: json() })
const error = (): fc.Arbitrary<ErrorValue> => optional({ name: name(), message: text(), stack: text(), code: text() }, 'stack', 'code')
const lost = () => fc.constant({ from: '1-4', to: '1-6' })
const tokens = () => fc.record({ input_uncached: count(), cache_read: count(), cache_write: count(), output: count(), reasoning: count() })
const step = { id: name(), name: name(), try: fc.integer({ min: 1, max: 9 }), input: text() }

const escalation = () => fc.record({ at: time(), assignees: fc.array(user(), { maxLength: 2 }), roles: fc.constant(['operator']) })

const child = { id: name(), fid: fc.constant('0'.repeat(24)), flow: name() }

/** The data of one event of each kind, every field and alternative covered. */
export const eventData: { readonly [K in EventKind]: fc.Arbitrary<EventData[K]> } = {
  attempt: optional(
    {
      attempt: fc.integer({ min: 1, max: 99 }),
      reason: fc.constantFrom('start', 'recover', 'wake', 'resume', 'retry', 'finalise'),
      owner: text(),
      prev: fc.constant('0-0'),
      lost: lost(),
    },
    'prev',
    'lost',
  ),
  status: optional({ status: fc.constantFrom(...RUN_STATUSES), reason: text(), until: fc.option(time()) }, 'reason', 'until'),
  inputs: fc.record({ inputs: json() }),
  meta: optional(
    { flow: name(), version: textOrNull(), summary: text(), tags: fc.array(text(), { maxLength: 3 }), user: user(), parent: fc.constant('0'.repeat(24)) },
    'parent',
  ),
  agent: typed(),
  action: optional({ name: name(), value: json() }, 'value'),
  result: typed(),
  final: typed(),
  error: error(),
  warning: typed(),
  debug: typed(),
  stdout: fc.record({ text: text() }),
  stderr: fc.record({ text: text() }),
  upload: optional({ path: text(), size: count(), type: text() }, 'type'),
  progress: optional({ done: count(), total: fc.option(count()), text: text() }, 'text'),
  step: fc.oneof(
    optional({ phase: fc.constant('started' as const), ...step }, 'input'),
    optional(
      { phase: fc.constant('finished' as const), ...step, duration_s: seconds(), result: json(), undefined: fc.constant(true as const) },
      'input',
      'undefined',
    ),
    optional({ phase: fc.constant('failed' as const), ...step, duration_s: seconds(), error: error(), retry_at: fc.option(time()) }, 'input'),
  ),
  sleep: fc.oneof(
    fc.record({ phase: fc.constant('started' as const), id: name(), until: time() }),
    fc.record({ phase: fc.constant('finished' as const), id: name() }),
  ),
  child: fc.oneof(
    fc.record({ phase: fc.constant('started' as const), ...child, input: text() }),
    fc.record({ phase: fc.constant('ended' as const), ...child, status: fc.constant('finished' as const), result: typed() }),
    fc.record({ phase: fc.constant('ended' as const), ...child, status: fc.constantFrom('error', 'cancelled', 'timed_out'), error: error() }),
  ),
  lock: optional(
    { lid: name(), name: name(), form: json(), data: json(), expires_at: fc.option(time()), escalations: fc.array(escalation(), { maxLength: 2 }) },
    'escalations',
  ),
  escalate: fc.record({ lid: name(), step: fc.integer({ min: 1, max: 9 }), at: time(), assignees: fc.array(user(), { maxLength: 2 }), roles: fc.constant([]) }),
  lease: fc.oneof(
    fc.record({ lid: name(), answer: json(), by: user(), at: time() }),
    fc.record({ lid: name(), expired: fc.constant(true as const), at: time() }),
  ),
  pause: optional({ by: user(), reason: text() }, 'reason'),
  resume: fc.record({ by: user() }),
  cancel: optional({ by: user(), reason: text() }, 'reason'),
  model: optional({ provider: name(), model: name(), duration_s: seconds(), tokens: tokens(), cost: fc.option(seconds()), text: text() }, 'text'),
  tool: optional({ name: name(), input: json(), output: json(), error: error(), duration_s: seconds() }, 'output', 'error'),
}

/** Any one event, as a producer hands it in. Single events make no legal run: see `recordedRuns`. */
export function newEvent(): fc.Arbitrary<NewEvent> {
  return fc.constantFrom(...EVENT_KINDS).chain((kind) => eventOf(kind))
}

/** Any event of one kind. */
export function eventOf<K extends EventKind>(kind: K): fc.Arbitrary<NewEvent<K>> {
  return fc.record({ kind: fc.constant(kind), data: eventData[kind], ts: time(), step: fc.option(name(), { nil: undefined }) }) as fc.Arbitrary<NewEvent<K>>
}
