import type { SignalBus } from '@koco/transport'

/** The live text of one turn, by step (empty for outside steps), since somebody in this process began to listen. */
export type HeardTurn = {
  readonly texts: ReadonlyMap<string, string>
  /** The step that spoke last. */
  readonly last: string | null
  /** Calls `listener` when there is more; the result ends it. */
  onMore(listener: () => void): () => void
  /** Gives it back; it is listened to for a while longer, for who comes again. */
  release(): void
}

/** Listens to the live text of turns, once for all connections of this process. */
export type LiveWords = { take(fid: string): HeardTurn; close(): void }

/** Whoever reconnects within this time finds what was said meanwhile. */
const KEPT_MS = 30_000
/** No preview goes further into one step's text. */
const CHARS_MAX = 200_000

type Heard = {
  readonly texts: Map<string, string>
  readonly listeners: Set<() => void>
  last: string | null
  users: number
  stop: () => void
  timer?: NodeJS.Timeout
}

/** Live text over the bus. It may be lost, by its nature: what is stored always follows. */
export function createLiveWords(signals: SignalBus, log: { warn(data: object, text: string): void }): LiveWords {
  const turns = new Map<string, Heard>()

  function listen(fid: string): Heard {
    const heard: Heard = { texts: new Map(), listeners: new Set(), last: null, users: 0, stop: () => undefined }
    const subscribed = signals.subscribe('delta', fid, ({ step, text }) => {
      const before = heard.texts.get(step ?? '') ?? ''
      if (before.length >= CHARS_MAX) return
      heard.texts.set(step ?? '', before + text)
      heard.last = step ?? ''
      for (const listener of heard.listeners) listener()
    })
    const stopping = subscribed.catch((error: unknown) => {
      log.warn({ err: error, fid }, 'no live text on sockets: the signal bus did not take the subscription')
      return () => undefined
    })
    heard.stop = () => void stopping.then((stop) => stop())
    turns.set(fid, heard)
    return heard
  }

  function forget(fid: string, heard: Heard): void {
    clearTimeout(heard.timer)
    heard.stop()
    if (turns.get(fid) === heard) turns.delete(fid)
  }

  return {
    take(fid) {
      const heard = turns.get(fid) ?? listen(fid)
      clearTimeout(heard.timer)
      heard.users += 1
      let isMine = true
      return {
        texts: heard.texts,
        get last() {
          return heard.last
        },
        onMore(listener) {
          heard.listeners.add(listener)
          return () => heard.listeners.delete(listener)
        },
        release() {
          if (!isMine) return
          isMine = false
          heard.users -= 1
          if (heard.users > 0) return
          heard.timer = setTimeout(() => forget(fid, heard), KEPT_MS)
          heard.timer.unref()
        },
      }
    },
    close() {
      for (const [fid, heard] of turns) forget(fid, heard)
    },
  }
}
