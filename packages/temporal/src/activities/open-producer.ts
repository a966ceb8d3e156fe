import { isEnded, UnavailableError, type RunState } from '@koco/core'
import { createProducer, type Producer } from '@koco/transport'
import type { ActivityDeps } from './deps.ts'

/** The one writer of an epoch of a run, over the worker's transport and store. */
export function openProducer(deps: Pick<ActivityDeps, 'store' | 'transport' | 'news'>, run: Pick<RunState, 'fid' | 'flow'>, epoch: number): Producer {
  const storeTop = async () => {
    const stored = await deps.store.runs.get(run.fid)
    if (!stored) throw new UnavailableError(`Run ${run.fid} is not in the store.`, { code: 'unknown_run' })
    return { top: stored.lastPosition, ended: isEnded(stored.status) }
  }
  return createProducer({
    streams: deps.transport.streams,
    fid: run.fid,
    flow: run.flow,
    epoch,
    storeTop,
    committed: (listener) => deps.news.onCommitted(run.fid, listener),
  })
}
