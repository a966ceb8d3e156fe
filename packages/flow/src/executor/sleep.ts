import { durationMs, type Duration } from '../duration.ts'
import { never, type Runtime } from './runtime.ts'
import { outsideSteps } from './step.ts'

/** One call of `ctx.sleep`: waits until the time that the journal names, or from now on. */
export async function sleep(runtime: Runtime, span: Duration): Promise<void> {
  const frame = runtime.frame()
  outsideSteps(frame, 'sleep', String(span))
  if (runtime.phase === 'closed') return never()
  const ms = durationMs(span, 'the span of a sleep')
  const claim = frame.names.claim('sleep', 'sleep')
  try {
    const journaled = runtime.journal.sleeps.get(claim.id)
    if (journaled?.finished) return undefined
    const until = journaled ? journaled.until * 1000 : runtime.deps.clock.now() + ms
    if (!journaled) runtime.emit('sleep', { phase: 'started', id: claim.id, until: until / 1000 })
    await runtime.until({ kind: 'sleep', id: claim.id, until })
    runtime.emit('sleep', { phase: 'finished', id: claim.id })
    return undefined
  } finally {
    claim.release()
  }
}
