import { isJsonObject, KocoError } from '@koco/core'
import type { CheckpointTask } from '@koco/storage'
import type { Parts, Checkpoint } from '../parts.ts'
import { create, createIfChanged } from './create.ts'

/** `intervalS`: default as the manager was told. */
export type AutoOptions = { readonly intervalS?: number | undefined }

/** Makes checkpoints of sessions by the clock, and when a turn fails. */
export type Auto = {
  /** From now on, in whatever process is there: the wish is stored. A session that did not change gets none. It ends with the session and with `disable`. May be repeated. RefusedError `unknown_session`. */
  enable(sessionId: string, options?: AutoOptions): Promise<void>
  disable(sessionId: string): Promise<void>
  /** The seconds from one to the next; null: it is not enabled. */
  intervalOf(sessionId: string): Promise<number | null>
  /** Takes up what is enabled in the store, also by other processes, and lets go of what is not any more. */
  look(): Promise<void>
  /** A turn failed: a checkpoint tagged `error` and `auto-save`, if the manager was told to make them. */
  turnFailed(sessionId: string, error: unknown): Promise<Checkpoint | undefined>
  close(): Promise<void>
}

type Timer = { readonly handle: NodeJS.Timeout; readonly intervalS: number; running: Promise<void> }

const MESSAGE_CHARS_MAX = 500
/** Another process has just made one, if it is younger than this part of the interval. */
const YOUNG = 0.9

/** `onProblem`: told when a checkpoint by the clock could not be made; the next one is tried all the same. */
export function createAuto(
  parts: Parts,
  settings: { readonly intervalS: number; readonly onError: boolean; readonly onProblem: (sessionId: string, error: unknown) => void },
): Auto {
  const timers = new Map<string, Timer>()
  const stop = (sessionId: string): void => {
    clearInterval(timers.get(sessionId)?.handle)
    timers.delete(sessionId)
  }
  const disable = async (sessionId: string): Promise<void> => {
    stop(sessionId)
    await parts.store.dropTask('auto', sessionId)
  }
  const tick = async (sessionId: string, intervalS: number): Promise<void> => {
    try {
      if (await isYoung(parts, sessionId, intervalS)) return
      await createIfChanged(parts, sessionId, { description: 'auto: by the clock', tags: ['auto-save'], incremental: true, origin: 'auto' })
    } catch (error) {
      if (error instanceof KocoError && error.code === 'unknown_session')
        await disable(sessionId).catch((other: unknown) => settings.onProblem(sessionId, other))
      else settings.onProblem(sessionId, error)
    }
  }
  const start = (sessionId: string, intervalS: number): void => {
    stop(sessionId)
    const turn = (): void => {
      timer.running = timer.running.then(() => tick(sessionId, intervalS))
    }
    const timer: Timer = { handle: setInterval(turn, intervalS * 1000), intervalS, running: Promise.resolve() }
    timer.handle.unref()
    timers.set(sessionId, timer)
  }
  return {
    async enable(sessionId, { intervalS = settings.intervalS } = {}) {
      await parts.store.setTask({ kind: 'auto', session: sessionId, about: { interval_s: intervalS } })
      start(sessionId, intervalS)
    },
    disable,
    async intervalOf(sessionId) {
      const task = (await parts.store.tasks('auto')).find(({ session }) => session === sessionId)
      return task ? intervalIn(task, settings.intervalS) : null
    },
    async look() {
      const wanted = new Map((await parts.store.tasks('auto')).map((task) => [task.session, intervalIn(task, settings.intervalS)]))
      for (const sessionId of timers.keys()) if (!wanted.has(sessionId)) stop(sessionId)
      for (const [sessionId, intervalS] of wanted) if (timers.get(sessionId)?.intervalS !== intervalS) start(sessionId, intervalS)
    },
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
      for (const sessionId of timers.keys()) stop(sessionId)
      await Promise.all(running)
    },
  }
}

/** Several processes keep the same clock: the first of them makes it. */
async function isYoung(parts: Parts, session: string, intervalS: number): Promise<boolean> {
  const last = (await parts.store.list({ session, tags: ['auto-save'], limit: 1 })).items[0]
  return last?.origin === 'auto' && last.createdAt > parts.clock() / 1000 - intervalS * YOUNG
}

function intervalIn({ about }: CheckpointTask, usual: number): number {
  const interval = isJsonObject(about) ? about['interval_s'] : undefined
  return typeof interval === 'number' && interval > 0 ? interval : usual
}
