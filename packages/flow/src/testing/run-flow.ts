import { RefusedError, type Json, type RunEvent } from '@koco/core'
import { executeTry } from '../executor/execute.ts'
import { defaultLimits, type TryDeps, type TryLimits, type TryOutcome } from '../executor/try.ts'
import type { Contents } from '../contents/port.ts'
import type { Flow } from '../flow.ts'
import { jsonOf } from '../value.ts'
import { TestChildren, type TestChild, type TestChildRun, type TestEnd } from './children.ts'
import { createMemoryContents } from './memory-contents.ts'
import { createMemoryFiles } from './memory-files.ts'
import { testConversation, type TestMessage } from './conversation.ts'
import { Workspaces } from '../workspace/workspaces.ts'
import { Timeline } from './timeline.ts'
import { seeded, seededUuid, TestClock, TestPeople, type TestAnswer } from './world.ts'

/** Options of a test run. */
export type TestRunOptions = {
  /** The answers to the flow's locks, by name. */
  readonly answers?: Readonly<Record<string, TestAnswer>>
  /** Where the clock starts; default 2030-01-01. */
  readonly now?: Date
  /** The user that started the run; default `tester`. */
  readonly user?: string
  /** Seed of chance; default 1. */
  readonly seed?: number
  readonly limits?: Partial<TryLimits>
  /** What stands for child runs, by the name of their flow; a child that was started by a flow's definition needs none. */
  readonly children?: Readonly<Record<string, TestChild>>
  /** The files that the run was given, by path: `in/data.csv`. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>
  /** The conversation that a chat flow is a turn of, whatever session its inputs name; what the person says last at its end. */
  readonly messages?: readonly TestMessage[]
  /** What the person says into the running turn. */
  readonly steers?: readonly string[]
  /** The folder of workspaces, where `ctx.process` runs programs; without it it refuses. */
  readonly workspaceDir?: string
}

/** What became of a test run. `tries` counts how often the function was run from the top. */
export type TestRun = TestEnd & {
  readonly events: readonly RunEvent[]
  readonly tries: number
  /** The child runs that it started, in order. */
  readonly children: readonly TestChildRun[]
  /** What was shown live, gathered as it was published; `step` is the id of its step. */
  readonly deltas: readonly { readonly step: string | null; readonly text: string }[]
  /** What it wrote by `ctx.files`, by path: `out/report.md`. */
  readonly files: Readonly<Record<string, Uint8Array>>
}

/** Nothing but waits for so long (ms) ends a try of a test run; the clock then jumps. */
const IDLE_MS = 20
const TRIES_MAX = 1000
const FID = '70d3a88000000000000000aa'

/**
 * Runs a flow to its end without any server: its steps are done, its locks answered from a table, its sleeps skipped. After each wait the function is
 * run again from the top, as in a real run, so a flow that does not repeat itself fails here. RefusedError `no_answer` when a lock has no answer.
 */
export async function runFlow(flow: Flow, inputs: unknown, options: TestRunOptions = {}): Promise<TestRun> {
  const world = newWorld(options, false)
  const { clock, people } = world
  for (let tries = 1; tries <= TRIES_MAX; tries += 1) {
    const outcome = await executeTry(tryDeps(flow, jsonOf(inputs, 'The inputs'), options, world, tries))
    if (outcome.outcome !== 'suspended') return summary(outcome, world, tries)
    if (outcome.wakeAt !== null) clock.skipTo(outcome.wakeAt * 1000)
    else throw new RefusedError(`Lock "${people.silent.at(-1)}" has no answer and never expires: give one in \`answers\`.`, { code: 'no_answer' })
  }
  throw new RefusedError(`The flow had not ended after ${TRIES_MAX} waits.`, { code: 'too_many_tries' })
}

/** What a single try of a test needs, with the timeline that it writes. `skipAll`: every wait is over at once. */
export function testTryDeps(
  flow: Flow,
  inputs: Json,
  options: TestRunOptions,
  skipAll: boolean,
): { readonly deps: TryDeps; readonly timeline: Timeline; readonly written: () => TestRun['files'] } {
  const world = newWorld(options, skipAll)
  return { deps: tryDeps(flow, inputs, options, world, 1), timeline: world.timeline, written: world.files.written }
}

function newWorld(options: TestRunOptions, skipAll: boolean): World {
  const clock = new TestClock((options.now ?? new Date('2030-01-01T00:00:00Z')).getTime(), skipAll)
  return {
    timeline: new Timeline(FID),
    clock,
    contents: createMemoryContents(),
    files: createMemoryFiles(options.files ?? {}, () => clock.now()),
    people: new TestPeople(options.answers ?? {}),
    children: new TestChildren(
      options.children ?? {},
      (flow, inputs) => runFlow(flow, inputs, options),
      () => clock.now() / 1000,
    ),
    random: seeded(options.seed ?? 1),
    deltas: [],
  }
}

type World = {
  readonly timeline: Timeline
  readonly clock: TestClock
  readonly people: TestPeople
  readonly children: TestChildren
  readonly random: () => number
  readonly deltas: { readonly step: string | null; readonly text: string }[]
  readonly contents: Contents
  readonly files: ReturnType<typeof createMemoryFiles>
}

function tryDeps(flow: Flow, inputs: Json, options: TestRunOptions, world: World, attempt: number): TryDeps {
  const { timeline, clock, people, children, random, deltas, files } = world
  const producer = timeline.producer(flow.name, ({ kind, data, ts }) => {
    if (kind === 'lock' && 'form' in data) people.ask(data.lid, data.name, data.data, ts)
  })
  const never = new AbortController().signal
  return {
    flow,
    run: { fid: FID, user: options.user ?? 'tester', inputs, parent: null },
    producer,
    reader: timeline.reader,
    requests: { wanted: async () => undefined, answers: async () => answersOrRefuse(people), onChange: () => () => undefined },
    children,
    attempt,
    reason: attempt === 1 ? 'start' : 'wake',
    owner: 'test',
    stop: never,
    stopNow: never,
    clock,
    random,
    uuid: () => seededUuid(random),
    onCommitted: () => () => undefined,
    publish: async (signals) => {
      for (const signal of signals) if (signal.topic === 'delta') deltas.push({ step: signal.step, text: signal.text })
    },
    log: () => undefined,
    limits: { ...defaultLimits, idleMs: IDLE_MS, ...options.limits },
    files: files.store,
    contents: world.contents,
    ...(options.workspaceDir !== undefined && { workspaces: new Workspaces(options.workspaceDir) }),
    sessions: testConversation(options.messages ?? [], options.steers ?? [], options.user ?? 'tester'),
  }
}

function answersOrRefuse(people: TestPeople): TestPeople['answers'] {
  const [name] = people.silent
  if (name === undefined) return people.answers
  throw new RefusedError(`Lock "${name}" was asked and the test has no answer: give one in \`answers\`, or EXPIRE.`, { code: 'no_answer' })
}

function summary(outcome: Exclude<TryOutcome, { outcome: 'suspended' }>, { timeline, children, deltas, files }: World, tries: number): TestRun {
  const common = { final: null, error: null, events: timeline.events, tries, children: children.started, deltas, files: files.written() }
  switch (outcome.outcome) {
    case 'finished':
      return { ...common, status: 'finished', final: outcome.final }
    case 'failed':
      return { ...common, status: 'error', error: outcome.error }
    case 'cancelled':
    case 'timed_out':
      return { ...common, status: outcome.outcome, error: null }
    default:
      throw new RefusedError(`The test run ended as ${outcome.outcome}.`, { code: 'test_run' })
  }
}
