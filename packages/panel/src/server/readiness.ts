import { KocoError } from '@koco/core'
import type { PanelDeps } from '../options.ts'
import type { Metrics } from './metrics.ts'

const FRESH_MS = 1_000
/** A check that takes longer is worth a line in the log: runs and spoolers feel it too. */
const SLOW_MS = 400

/** Whether runs can be started and stored now; of each part `ok` or the stable code of what is wrong with it. */
export type Readiness = { readonly ready: boolean; readonly checks: Readonly<Record<string, string>> }

type ReadinessDeps = Pick<PanelDeps, 'store' | 'admin' | 'checkTransport' | 'clock' | 'log'> & {
  readonly metrics: Pick<Metrics, 'check'>
  readonly closing: () => boolean
}

/** Asks everything that a run needs; an answer serves for a second, so that nobody can wear the stores out by asking. What answers late is told in the log. */
export function createReadiness({ store, admin, checkTransport, clock, log, metrics, closing }: ReadinessDeps): () => Promise<Readiness> {
  const checks = { store: () => store.check(), admin: () => admin.check(), transport: checkTransport }
  const took = (part: string, ms: number): void => {
    metrics.check(part, ms / 1000)
    if (ms > SLOW_MS) log.warn({ check_ms: ms }, `the ${part} answers slowly: a check took ${ms} ms`)
  }
  let last: { readonly untilMs: number; readonly answer: Promise<Readiness> } | undefined
  return () => {
    if (closing()) return Promise.resolve({ ready: false, checks: { panel: 'shutting down' } })
    if (!last || last.untilMs <= clock()) last = { untilMs: clock() + FRESH_MS, answer: askAll(checks, took) }
    return last.answer
  }
}

async function askAll(checks: Readonly<Record<string, () => Promise<void>>>, took: (part: string, ms: number) => void): Promise<Readiness> {
  const ask = async ([part, check]: [string, () => Promise<void>]) => {
    const begun = performance.now()
    const said = await verdict(check)
    if (said === 'ok') took(part, Math.round(performance.now() - begun))
    return [part, said] as const
  }
  const results = await Promise.all(Object.entries(checks).map(ask))
  return { ready: results.every(([, said]) => said === 'ok'), checks: Object.fromEntries(results) }
}

async function verdict(check: () => Promise<void>): Promise<string> {
  try {
    await check()
    return 'ok'
  } catch (error) {
    // Anybody may ask, so only the stable code is told; the message may name hosts and paths.
    return error instanceof KocoError ? error.code : 'failed'
  }
}
