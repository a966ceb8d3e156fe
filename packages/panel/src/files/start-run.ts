import { randomBytes } from 'node:crypto'
import { newFid, RefusedError, type Json } from '@koco/core'
import type { StartRun } from '@koco/flow'
import type { Principal } from '../auth/permissions.ts'
import type { PanelContext } from '../context.ts'
import { ProblemError } from '../server/problems.ts'
import { findFiles, type FoundFiles } from './run-inputs.ts'

/** How long a person's request may wait for files, and until when it is of interest to anybody. */
export type Patience = { readonly untilMs: number; readonly signal: AbortSignal }

type Context = Pick<PanelContext, 'files' | 'store' | 'launcher' | 'clock'>

/** How often it is looked whether files are complete, for what another process has received. */
const LOOK_MS = 500

/**
 * Starts a run once its files are complete: they lie in its folder before it exists, and their uploads are used up only when it does. Problem 409 `files_incomplete` when patience ends first; else as
 * `findFiles` and the launcher's `start`.
 */
export async function startRun(context: Context, who: Principal, start: Omit<StartRun, 'fid'>, patience: Patience): Promise<{ fid: string; created: boolean }> {
  const { files, launcher, clock } = context
  const schema = await files.schemas(start.flow)
  const found = await waitForFiles(context, who, { schema, inputs: start.inputs }, patience)
  if (!found) return launcher.start(start)
  const fid = newFid(clock(), randomBytes(8))
  await files.starting.give(fid, found.given)
  let started: { readonly fid: string; readonly created: boolean }
  try {
    started = await launcher.start({ ...start, inputs: found.inputs, fid })
  } catch (error) {
    // After any other error nobody knows whether the run was made: the sweep finds out.
    if (error instanceof RefusedError) await files.starting.undo(fid)
    throw error
  }
  if (!started.created) {
    await files.starting.undo(fid)
    return started
  }
  for (const { record, path } of found.used) await files.uploads.place(record, fid, path)
  await files.starting.done(fid)
  return started
}

async function waitForFiles(
  { files, store }: Context,
  who: Principal,
  ask: { readonly schema: Json; readonly inputs: Json },
  { untilMs, signal }: Patience,
): Promise<FoundFiles | undefined> {
  for (;;) {
    try {
      return await findFiles({ ...files, runs: store.runs }, who, ask)
    } catch (error) {
      const leftMs = untilMs - performance.now()
      if (!(error instanceof ProblemError) || error.code !== 'files_incomplete' || leftMs <= 0 || signal.aborted) throw error
      await news(files.uploads, Math.min(leftMs, LOOK_MS), signal)
    }
  }
}

function news(uploads: PanelContext['files']['uploads'], ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer)
      off()
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    const off = uploads.onFinish(done)
    signal.addEventListener('abort', done)
  })
}
