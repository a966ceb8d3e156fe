import { decodeEvent, isEnded, ORIGIN, type RunEvent, type RunState } from '@koco/core'
import type { ExecutionStore } from '@koco/storage'
import type { Contents } from '../contents/port.ts'
import type { Flow } from '../flow.ts'
import type { Launcher } from '../launcher.ts'

/** A launcher with all that it needs, on data of its own. */
export type LauncherUnderTest = {
  readonly launcher: Launcher
  readonly store: ExecutionStore
  /** Where its runs put large results. */
  readonly contents: Contents
  /** Ends the executing process without a grace time and starts another on the same data; gives its launcher. */
  readonly restart: () => Promise<Launcher>
  readonly close: () => Promise<void>
}

/** Opens a fresh launcher that serves these flows; tries in which nothing but waits is left are suspended after about `idleMs`. */
export type OpenLauncher = (flows: readonly Flow[], idleMs: number) => Promise<LauncherUnderTest>

const LOOK_MS = 5
const PATIENCE_MS = 20_000

/** Waits until a run is as it should be; an error that names what was waited for after `patienceMs`, default 20 s. */
export async function runUntil(store: ExecutionStore, fid: string, what: string, is: (run: RunState) => boolean, patienceMs = PATIENCE_MS): Promise<RunState> {
  const deadline = performance.now() + patienceMs
  for (;;) {
    const run = await store.runs.get(fid)
    if (run && is(run)) return run
    if (performance.now() > deadline) throw new Error(`run ${fid} is ${run?.status ?? 'unknown'} and never came to: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
  }
}

/** Waits until a run is over. */
export function runEnd(store: ExecutionStore, fid: string): Promise<RunState> {
  return runUntil(store, fid, 'its end', (run) => isEnded(run.status))
}

/** All events of a run. */
export async function eventsOf(store: ExecutionStore, fid: string): Promise<RunEvent[]> {
  const page = await store.reader.read(fid, { after: ORIGIN, limit: 10_000 })
  return page.records.flatMap((record) => decodeEvent(fid, record) ?? [])
}
