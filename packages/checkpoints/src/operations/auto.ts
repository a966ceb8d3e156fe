import { KocoError } from '@koco/core'
import type { Parts, Checkpoint } from '../parts.ts'
import { create, createIfChanged } from './create.ts'

/** `intervalS`: default as the manager was told. */
export type AutoOptions = { readonly intervalS?: number | undefined }

/** Makes checkpoints of sessions by the clock, and when a turn fails. */
export type Auto = {
  /** From now on; a session that did not change gets none. It ends with the session, with `disable` and with `close`. May be repeated. */
  enable(sessionId: string, options?: AutoOptions): void
  disable(sessionId: string): void
  isEnabled(sessionId: string): boolean
  /** A turn failed: a checkpoint tagged `error` and `auto-save`, if the manager was told to make them. */
  turnFailed(sessionId: string, error: unknown): Promise<Checkpoint | undefined>
  close(): Promise<void>
}

type Timer = { handle: NodeJS.Timeout; running: Promise<void> }

const MESSAGE_CHARS_MAX = 500

/** `onProblem`: told when a checkpoint by the clock could not be made; the next one is tried all the same. */
export function createAuto(
  parts: Parts,
  settings: { readonly intervalS: number; readonly onError: boolean; readonly onProblem: (sessionId: string, error: unknown) => void },
): Auto {
  const timers = new Map<string, Timer>()
  const disable = (sessionId: string): void => {
    clearInterval(timers.get(sessionId)?.handle)
    timers.delete(sessionId)
  }
  const tick = async (sessionId: string): Promise<void> => {
    try {
      await createIfChanged(parts, sessionId, { description: 'auto: by the clock', tags: ['auto-save'], incremental: true, origin: 'auto' })
    } catch (error) {
      if (error instanceof KocoError && error.code === 'unknown_session') disable(sessionId)
      else settings.onProblem(sessionId, error)
    }
  }
  return {
    enable(sessionId, { intervalS = settings.intervalS } = {}) {
      disable(sessionId)
      const turn = (): void => {
        timer.running = timer.running.then(() => tick(sessionId))
      }
      const timer: Timer = { handle: setInterval(turn, intervalS * 1000), running: Promise.resolve() }
      timer.handle.unref()
      timers.set(sessionId, timer)
    },
    disable,
    isEnabled: (sessionId) => timers.has(sessionId),
    async turnFailed(sessionId, error) {
      if (!settings.onError) return undefined
      const message = (error instanceof Error ? error.message : String(error)).slice(0, MESSAGE_CHARS_MAX).toWellFormed()
      const tags = ['error', 'auto-save']
      return await create(parts, sessionId, {
        description: `auto: a turn failed: ${message}`,
        tags,
        metadata: { error: message },
        incremental: true,
        origin: 'error',
      })
    },
    async close() {
      const running = [...timers.values()].map((timer) => timer.running)
      for (const sessionId of timers.keys()) disable(sessionId)
      await Promise.all(running)
    },
  }
}
