import type { RunState } from '@koco/core'
import type { RunStore, RunSummary } from '@koco/storage'
import { controlFrame } from './frames.ts'
import type { LiveStream } from './live-stream.ts'
import type { Wakeups } from './wakeups.ts'

/** Changed runs as frames, for pages that show a list: each reader gets those that it may see. */
export type RunFeed = {
  /** Adds a reader until its stream ends. */
  add(stream: LiveStream, visible: (run: RunSummary) => boolean): void
  close(): void
}

const GATHER_MS = 200
const RUNS_A_ROUND = 200
const CHANGED_MAX = 10_000

/** What the feed reads from, and how a run is shown. */
export type RunFeedDeps = {
  readonly runs: Pick<RunStore, 'get'>
  readonly wakeups: Wakeups
  readonly toJson: (run: RunState) => object
  readonly log: { warn(data: object, text: string): void }
}

/**
 * A feed that gathers changes for 200 ms, so that a busy run is sent five times a second at most. A `reset` frame says that changes were missed: read the list
 * again. Without readers it costs nothing.
 */
export function createRunFeed(deps: RunFeedDeps): RunFeed {
  const readers = new Map<LiveStream, (run: RunSummary) => boolean>()
  const changed = new Set<string>()
  let timer: NodeJS.Timeout | undefined

  const resetAll = (reason: string): void => {
    changed.clear()
    for (const stream of readers.keys()) stream.push(controlFrame('reset', { reason }))
  }

  async function sendRound(): Promise<void> {
    const fids = [...changed].slice(0, RUNS_A_ROUND)
    for (const fid of fids) changed.delete(fid)
    try {
      const runs = await Promise.all(fids.map((fid) => deps.runs.get(fid)))
      for (const run of runs) if (run) send(run)
    } catch (error) {
      deps.log.warn({ err: error }, 'the run list could not be read; its viewers are told to read again')
      resetAll('unavailable')
    }
  }

  function send(run: RunState): void {
    const frame = controlFrame('run', deps.toJson(run))
    for (const [stream, visible] of readers) if (visible(run)) stream.push(frame)
  }

  const schedule = (): void => {
    timer ??= setTimeout(() => {
      void sendRound().finally(() => {
        timer = undefined
        if (changed.size > 0) schedule()
      })
    }, GATHER_MS)
  }

  const stop = deps.wakeups.onAnyCommit((commit) => {
    if (readers.size === 0) return
    if (!commit) return resetAll('reconnected')
    changed.add(commit.fid)
    if (changed.size > CHANGED_MAX) resetAll('overflow')
    else schedule()
  })

  return {
    add(stream, visible) {
      readers.set(stream, visible)
      stream.signal.addEventListener('abort', () => readers.delete(stream), { once: true })
      stream.push(controlFrame('ready', {}))
    },
    close() {
      stop()
      clearTimeout(timer)
      readers.clear()
    },
  }
}
