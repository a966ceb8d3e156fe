import { setTimeout as delay } from 'node:timers/promises'
import { must } from '@koco/core'
import { diceOf, type Dice } from './dice.ts'
import { judgeRun, type RunVerdict } from './judge.ts'
import { LiveReader } from './live-reader.ts'
import { drawWorkload, type Load, type Workload } from './workload.ts'
import type { Nemesis, World } from './world.ts'

/** What a scenario is: everything that is drawn is drawn from the seed. */
export type Scenario<W extends World> = {
  readonly seed: number
  readonly nemeses: readonly Nemesis<W>[]
  /** Faults are held as short as they may be. */
  readonly brief: boolean
  /** How long after the faults the runs have to come to their end. Only a guard: it bounds a scenario that has failed already. */
  readonly settleMs?: number
}

/** What came out. `violations` is empty when nothing was lost, doubled, disordered or left hanging, and each fault was to be seen. */
export type Verdict = Omit<RunVerdict, 'violations'> & {
  readonly seed: number
  readonly kinds: readonly string[]
  readonly workload: string
  readonly violations: readonly string[]
  readonly runs: number
  readonly readers: number
  readonly reconnects: number
}

const SETTLE_MS = 90_000
/** So late may a trace come: runs may end by way of others while a process stands still, which says so when it has woken. */
const TRACE_MS = 5000
/** Several faults of one scenario begin within so long. */
const APART_MS = 1500

/** Lets a workload run, strikes with every nemesis while it runs and is watched, waits until all of it has ended, and judges. */
export async function runScenario<W extends World>(world: W, { seed, nemeses, brief, settleMs = SETTLE_MS }: Scenario<W>): Promise<Verdict> {
  const dice = diceOf(seed, brief)
  const workload = drawWorkload(dice)
  world.evidence.clear()
  const started = await startRuns(world, workload)
  const idle = await underWay(started, settleMs)
  const failed = await Promise.all(
    nemeses.map((nemesis, index) => strike(world, nemesis, diceOf(seed + index + 1, brief), index === 0 ? 0 : dice.between(0, APART_MS))),
  )
  const settled = await settle(world, started, settleMs)
  const verdicts = await Promise.all(started.map(({ fid, load, readers }) => judgeRun(world, fid, load, readers)))
  const unseen = await untraced(world, nemeses)
  const sum = (count: (verdict: RunVerdict) => number): number => verdicts.reduce((all, verdict) => all + count(verdict), 0)
  const readers = started.flatMap((run) => run.readers)
  return {
    seed,
    kinds: nemeses.map(({ kind }) => kind),
    workload: workload.name,
    violations: [...idle, ...failed.flat(), ...settled, ...verdicts.flatMap(({ violations }) => violations), ...unseen],
    runs: started.length,
    readers: readers.length,
    reconnects: readers.reduce((all, reader) => all + reader.reconnects, 0),
    acknowledged: sum((verdict) => verdict.acknowledged),
    stored: sum((verdict) => verdict.stored),
    checked: sum((verdict) => verdict.checked),
  }
}

type Started = { readonly fid: string; readonly load: Load; readonly readers: readonly LiveReader[] }

async function startRuns(world: World, workload: Workload): Promise<Started[]> {
  return await Promise.all(
    workload.runs.map(async (load) => {
      const { events, burst, pauseMs } = load
      const fid = await world.client.start('witnessed', { events, burst, pauseMs, witness: world.witness })
      return { fid, load, readers: Array.from({ length: load.readers }, () => new LiveReader(world.client, fid)) }
    }),
  )
}

/** Resolves when readers have been shown numbered events of a run: from now on a fault hits something. */
async function underWay(started: readonly Started[], settleMs: number): Promise<string[]> {
  const reader = must(started.at(-1)?.readers[0], 'a reader')
  for (const deadline = performance.now() + settleMs; performance.now() < deadline; await delay(10))
    if (reader.seen.events.some(({ event }) => event === 'action')) return []
  return [`hanging: before any fault nothing was shown of a run for ${settleMs / 1000} s`]
}

/** A fault that could not be brought about or ended is a violation as well: nobody knows what was tested. */
async function strike<W extends World>(world: W, nemesis: Nemesis<W>, dice: Dice, afterMs: number): Promise<string[]> {
  await delay(afterMs)
  try {
    await nemesis.strike(world, dice)
    return []
  } catch (error) {
    return [`broken: the nemesis "${nemesis.kind}" failed itself: ${error instanceof Error ? error.message : String(error)}`]
  }
}

/** Waits until each reader was told the end and the installation says that it is ready again. */
async function settle(world: World, started: readonly Started[], settleMs: number): Promise<string[]> {
  const deadline = new AbortController()
  const readers = started.flatMap((run) => run.readers)
  const late = delay(settleMs, true, { signal: deadline.signal }).catch(() => false)
  const tooLate = await Promise.race([late, Promise.all(readers.map((reader) => reader.done)).then(() => false)])
  for (const reader of readers) reader.leave()
  let ready = world.evidence.readiness.startsWith('readyz 200')
  while (!ready && !(await Promise.race([late, delay(50, false)]))) ready = world.evidence.readiness.startsWith('readyz 200')
  deadline.abort()
  return [
    ...(tooLate ? [`hanging: ${settleMs / 1000} s after the faults some runs have not ended for their readers`] : []),
    ...(ready ? [] : [`hanging: the panel is not ready again: ${world.evidence.readiness}`]),
  ]
}

/**
 * A fault that nobody can find afterwards is one that nobody can repair. Of several at once one has to be found: while the panel is dead nobody tells of a slow link, and into a Redis that takes nothing no
 * row comes that Postgres could refuse.
 */
async function untraced<W extends World>(world: W, nemeses: readonly Nemesis<W>[]): Promise<string[]> {
  for (const until = performance.now() + TRACE_MS; performance.now() < until; await delay(50))
    if (nemeses.some(({ trace }) => world.evidence.shows(trace))) return []
  return nemeses.map(({ kind, trace }) => `unseen: nothing shows ${kind}: neither logs nor readiness match ${trace}`)
}
