import { setTimeout as sleep } from 'node:timers/promises'
import { UnavailableError } from '@koco/core'
import type { Logger } from 'pino'

/** `stop`: ends the wait. `onWait`: told of each try that found something away. */
export type WaitOptions = { readonly log: Pick<Logger, 'info' | 'warn'>; readonly stop: AbortSignal; readonly onWait?: (error: UnavailableError) => void }

const FIRST_MS = 200
const LONGEST_MS = 5_000
const SAID_EVERY_MS = 60_000

/**
 * Opens what other services provide, and waits for them for as long as it takes: a service that compose, systemd or Kubernetes starts may come before its database. It says so at once, when it is something else that is away, and once a
 * minute. What no waiting mends (a wrong password, no such database, missing tables) is thrown as it came. Undefined: `stop` came first.
 */
export async function whenThere<T>(open: () => Promise<T>, { log, stop, onWait }: WaitOptions): Promise<T | undefined> {
  const begun = performance.now()
  let said: { readonly at: number; readonly code: string } | undefined
  for (let waitMs = FIRST_MS; !stop.aborted; waitMs = Math.min(waitMs * 2, LONGEST_MS)) {
    try {
      const opened = await open()
      if (said) log.info({ waited_ms: Math.round(performance.now() - begun) }, 'what was waited for is there')
      return opened
    } catch (error) {
      if (!(error instanceof UnavailableError) || error.code === 'temporal_namespace') throw error
      onWait?.(error)
      if (said?.code !== error.code || performance.now() - said.at >= SAID_EVERY_MS) {
        log.warn({ code: error.code }, `${error.message} Until then koco waits here; Ctrl-C or SIGTERM ends it.`)
        said = { at: performance.now(), code: error.code }
      }
    }
    await sleep(waitMs, undefined, { signal: stop }).catch(() => undefined)
  }
  return undefined
}
