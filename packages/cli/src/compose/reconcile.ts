import { RefusedError } from '@koco/core'
import type { Reconciled } from '@koco/temporal'
import { checkCombinations } from '../settings/combinations.ts'
import type { Settings } from '../settings/schema.ts'
import { createLog } from './log.ts'
import { openExecution } from './stores.ts'
import { lineTo, openTemporalLauncher, temporalPlace } from './temporal.ts'
import { openTransport } from './transport.ts'

/** A start that was made a moment ago may not have reached Temporal yet. */
const YOUNG_MS = 30_000

/** Compares runs, streams and Temporal once, now; gives what did not agree and what was done about it. RefusedError when runs are not workflows here. */
export async function reconcileHere(settings: Settings, cwd: string): Promise<readonly Reconciled[]> {
  if (settings.executionMode !== 'temporal') {
    throw new RefusedError(
      "Runs are made in the panel's own process here (KODO_EXECUTION_MODE=direct), which looks after them itself: there is nothing to compare.",
      { code: 'bad_settings' },
    )
  }
  const faults = checkCombinations(settings)
  if (faults.length > 0) throw new RefusedError(faults.join('\n'), { code: 'bad_settings', details: faults })
  const log = createLog(settings, process.stderr.isTTY)
  const opened: (() => Promise<void>)[] = []
  try {
    const store = await openExecution(settings, cwd)
    opened.push(() => store.close())
    const transport = await openTransport(settings)
    opened.push(() => transport.close())
    const launcher = await openTemporalLauncher(settings, { store, transport, log }, opened)
    const { reconcileNow, TemporalServer } = await import('@koco/temporal')
    const server = new TemporalServer(temporalPlace(settings))
    opened.push(() => server.close())
    return await reconcileNow({ server, store, transport, launcher, youngMs: YOUNG_MS, log: lineTo(log) })
  } finally {
    for (const close of opened.toReversed()) await close()
  }
}
