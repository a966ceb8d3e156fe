// Goal: rows lie in one another as the flow has it: groups, steps, the calls in them; what is folded hides what is in it. Method: the events of a small run, folded as the page folds them.
import type { Json } from '@koco/core'
import { expect, test } from 'vitest'
import { foldable, rowsOf } from './nesting.ts'
import { SpanFold } from './spans.ts'

const NONE: ReadonlySet<string> = new Set()

function spansOf(events: readonly (readonly [kind: string, data: Json, step?: string])[]) {
  const fold = new SpanFold()
  for (const [index, [kind, data, step = null]] of events.entries()) {
    const seq = index + 1
    fold.add({ position: `1-${seq}`, fid: 'f', epoch: 1, seq, ts: seq, kind, step, data })
  }
  return fold.list()
}

const step = (id: string, phase: string, extra: { readonly [key: string]: Json } = {}): readonly [string, Json] => [
  'step',
  { id, name: id.slice(id.lastIndexOf('/') + 1), phase, try: 1, ...extra },
]

const RUN = spansOf([
  step('plan', 'started'),
  ['model', { model: 'm-1', provider: 'p', duration_s: 0.5, tokens: {}, cost: null }, 'plan'],
  step('plan', 'finished', { duration_s: 2, result: 1 }),
  step('read/page[a%2fb]/fetch', 'started'),
  step('read/page[a%2fb]/fetch', 'failed', { duration_s: 1, error: { name: 'E', message: 'no' }, retry_at: 6 }),
  step('read/page[a%2fb]/fetch', 'started', { try: 2 }),
  ['tool', { name: 'get', input: {}, duration_s: 0.1, error: { name: 'E', message: 'x' } }, 'read/page[a%2fb]/fetch'],
  step('read/page[a%2fb]/fetch', 'finished', { duration_s: 2, result: 1, try: 2 }),
  ['sleep', { phase: 'started', id: 'read/sleep', until: 20 }],
])

const names = (closed: ReadonlySet<string>, tries = NONE) =>
  rowsOf(RUN, { closed, tries }).map(({ depth, span, earlier }) => `${'  '.repeat(depth)}${earlier ? `try ${earlier.number}` : span.name}`)

test('groups hold steps, steps hold calls, each in the order of its beginning', () => {
  expect(names(NONE)).toEqual(['plan', '  m-1', 'read', '  page[a/b]', '    fetch', '      get', '  Sleep'])
  const group = rowsOf(RUN, { closed: NONE, tries: NONE })[2]?.span
  expect(group).toMatchObject({ kind: 'group', start: 4, end: null })
})

test('what is folded hides what is in it; earlier tries come out when asked for', () => {
  expect(names(new Set(['group:read', 'step:plan']))).toEqual(['plan', 'read'])
  expect(names(new Set(['step:plan']), new Set(['step:read/page[a%2fb]/fetch']))).toEqual([
    'plan',
    'read',
    '  page[a/b]',
    '    fetch',
    '      try 1',
    '      get',
    '  Sleep',
  ])
  expect(foldable(RUN)).toEqual(['step:plan', 'group:read', 'group:read/page[a%2fb]', 'step:read/page[a%2fb]/fetch'])
})
