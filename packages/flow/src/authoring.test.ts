// Goal: what a flow author writes is checked at once, with sentences that help. Method: good and bad definitions, spans, catalogues, schemas; console lines of runs side by side.
import { afterEach, expect, test } from 'vitest'
import { z } from 'zod'
import { createCatalog } from './catalog.ts'
import { captureConsole } from './console-capture.ts'
import { guardExit } from './exit-guard.ts'
import { durationMs } from './duration.ts'
import { defineFlow, flowEntry, flowsOf, isFlow, type FlowDefinition } from './flow.ts'
import { checkAnswer, checkInputs, formSchema } from './schema-check.ts'
import { runFlow } from './testing/index.ts'

const base: FlowDefinition<z.ZodObject> = { name: 'a-flow', summary: 'Does a thing', inputs: z.object({}), run: () => 1 }
const define = (change: object) => () => defineFlow({ ...base, ...change })

test('a definition is checked: name, summary, inputs, tags, run, timeout', () => {
  expect(define({ name: 'No Spaces' })).toThrow('Flow "No Spaces" is not well defined: its name must be')
  expect(define({ name: '../up' })).toThrow('its name must be')
  expect(define({ summary: ' ' })).toThrow('it needs a summary')
  expect(define({ run: 1 })).toThrow('it needs a function')
  expect(define({ inputs: { city: 'text' } })).toThrow('its inputs must be a z.object')
  expect(define({ inputs: z.string() })).toThrow('its inputs must be a z.object')
  expect(define({ tags: [''] })).toThrow('its tags must be')
  expect(define({ timeout: 'soon' })).toThrow('timeout of flow "a-flow" is "soon"')
})

test('a flow is frozen and listed with the JSON Schema of its inputs', () => {
  const flow = defineFlow({ ...base, tags: ['x'], inputs: z.object({ n: z.number().default(2), when: z.date().optional() }) })
  expect(Object.isFrozen(flow)).toBe(true)
  expect(flowEntry(flow)).toMatchObject({
    name: 'a-flow',
    tags: ['x'],
    version: null,
    inputs: { type: 'object', properties: { n: { type: 'number', default: 2 } } },
  })
})

test('flows are found among the exports of a module, each once', () => {
  const one = defineFlow(base)
  const two = defineFlow({ ...base, name: 'two' })
  expect(flowsOf({ one, again: one, list: [two, one], number: 1, nothing: null }).map(({ name }) => name)).toEqual(['a-flow', 'two'])
  expect([isFlow(one), isFlow(base), isFlow(null)]).toEqual([true, false, false])
})

test('a catalogue refuses two flows of one name, and keeps the old flows then', () => {
  const catalog = createCatalog([defineFlow(base)])
  let changes = 0
  const off = catalog.onChange(() => (changes += 1))
  expect(() => catalog.replace([defineFlow(base), defineFlow(base)])).toThrow('Two flows are named "a-flow"')
  expect(catalog.list()).toHaveLength(1)
  catalog.replace([])
  off()
  catalog.replace([defineFlow(base)])
  expect([changes, catalog.get('a-flow')?.name]).toEqual([1, 'a-flow'])
})

test('spans of time are read, everything else is refused', () => {
  expect((['500ms', '1.5s', '15m', '3h', '7d'] as const).map((span) => durationMs(span, 'it'))).toEqual([500, 1500, 900_000, 10_800_000, 604_800_000])
  expect(durationMs(250, 'it')).toBe(250)
  for (const bad of ['3 h', '-1s', '', 'h', -1, Number.NaN, Infinity, '4000d']) expect(() => durationMs(bad as never, 'the delay')).toThrow('the delay is')
})

test('inputs and answers are checked field by field', async () => {
  const flow = defineFlow({ ...base, inputs: z.object({ a: z.object({ 'b/c': z.number() }), d: z.string().default('x') }) })
  expect(await checkInputs(flow, { a: { 'b/c': 1 } })).toEqual({ ok: true, value: { a: { 'b/c': 1 }, d: 'x' } })
  expect(await checkInputs(flow, { a: { 'b/c': 'no' } })).toMatchObject({ ok: false, fields: [{ path: '/a/b~1c' }] })
  const form = formSchema(z.object({ go: z.boolean() }))
  expect(checkAnswer(form, { go: 1 })).toMatchObject({ ok: false, fields: [{ path: '/go' }] })
  expect(checkAnswer(form, { go: false })).toMatchObject({ ok: true })
  expect(checkAnswer({}, null)).toMatchObject({ ok: true })
  expect(checkAnswer({ type: 'nonsense' }, 1)).toMatchObject({ ok: true })
  expect(checkAnswer({ type: 'string', enum: ['yes', 'no'] }, 'maybe')).toMatchObject({ ok: false, fields: [{ path: '' }] })
})

test('a flow that calls process.exit fails alone; outside of runs it exits as ever', async () => {
  const exits: unknown[] = []
  const before = process.exit
  process.exit = ((code?: number) => void exits.push(code)) as typeof process.exit
  const giveBack = guardExit()
  try {
    const run = await runFlow(defineFlow({ ...base, inputs: z.object({}), run: (_inputs, ctx) => ctx.step('exit', () => process.exit(7)) }), {})
    expect([run.status, run.error?.message]).toEqual(['error', expect.stringContaining('process.exit(7)')])
    expect(exits).toEqual([])
    process.exit(3)
    expect(exits).toEqual([3])
  } finally {
    giveBack()
    process.exit = before
  }
})

let release: (() => void) | undefined
afterEach(() => release?.())

/* oxlint-disable no-console -- the console is what is tested */
test('console lines go to the run that prints them, many runs side by side, and elsewhere are printed', async () => {
  const printed: unknown[][] = []
  const before = console.log
  console.log = (...args: unknown[]) => void printed.push(args)
  release = captureConsole()
  const chatty = defineFlow({
    ...base,
    inputs: z.object({ id: z.number() }),
    async run({ id }, ctx) {
      console.log('run %d begins', id)
      await ctx.step('work', async () => {
        await new Promise((resolve) => setTimeout(resolve, id % 3))
        console.warn({ id })
      })
    },
  })
  const runs = await Promise.all(Array.from({ length: 20 }, (_, id) => runFlow(chatty, { id })))
  console.log('outside')
  release()
  release = undefined
  console.log = before
  for (const [id, run] of runs.entries()) {
    const lines = run.events.flatMap((event) => (event.kind === 'stdout' || event.kind === 'stderr' ? [[event.kind, event.data.text, event.step]] : []))
    expect(lines).toEqual([
      ['stdout', `run ${id} begins`, undefined],
      ['stderr', `{ id: ${id} }`, 'work'],
    ])
  }
  expect(printed).toEqual([['outside']])
})
