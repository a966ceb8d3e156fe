import type { Json } from '@koco/core'
import type { TimelineEvent } from '@koco/core/api'
import { readFrames, type Frame } from './frames.ts'
import { KocoApiError, send, type ClientOptions } from './request.ts'

/** Something that the stream says besides events: `gap`, events were lost; `reset`, what came after `data.after` does not count; `delta`, a piece of a model's text; `reconnecting`, the connection was cut. */
export type Notice = { readonly kind: 'gap' | 'reset' | 'delta' | 'reconnecting'; readonly data: Json }

/** `after`: the position of the last event that the caller has. `onNotice` hears what the stream says besides events. */
export type WatchOptions = { readonly after?: string; readonly signal?: AbortSignal; readonly onNotice?: (notice: Notice) => void }

const SILENCE_MS_MAX = 45_000
const DELAY_MS_MAX = 15_000

/** A run's events, each once and in order, until the run is over or the signal aborts. A cut connection is taken up again behind the last event; a refusal is thrown as KocoApiError. */
export async function* watchRun(options: ClientOptions, fid: string, { after, signal, onNotice }: WatchOptions = {}): AsyncGenerator<TimelineEvent> {
  let last = after
  for (let failures = 0; !signal?.aborted; failures++) {
    const connection = new AbortController()
    const both = signal ? AbortSignal.any([signal, connection.signal]) : connection.signal
    try {
      const response = await open(options, fid, last, both)
      if (response.status === 204 || !response.body) return
      for await (const frame of readFrames(watchSilence(response.body, connection))) {
        failures = 0
        if (frame.event === 'end') return
        if (frame.id === null) {
          const notice = noticeOf(frame)
          if (notice?.kind === 'reset') last = positionOf(notice.data) ?? last
          if (notice) onNotice?.(notice)
        } else if (isAbove(frame.id, last)) {
          last = frame.id
          yield JSON.parse(frame.data) as TimelineEvent
        }
      }
    } catch (error) {
      if (signal?.aborted) return
      if (error instanceof KocoApiError && !error.passing) throw error
    } finally {
      connection.abort()
    }
    if (signal?.aborted) return
    onNotice?.({ kind: 'reconnecting', data: null })
    await pause(Math.min(DELAY_MS_MAX, 250 * 2 ** Math.min(failures, 10)) * (0.5 + Math.random() / 2), signal)
  }
}

function open(options: ClientOptions, fid: string, last: string | undefined, signal: AbortSignal): Promise<Response> {
  const headers = { accept: 'text/event-stream', ...(last !== undefined && { 'last-event-id': last }) }
  return send(options, `/api/runs/${encodeURIComponent(fid)}/events`, { headers, signal })
}

/** The same bytes; a server that says nothing for so long (it says something every 15 s) is given up. */
function watchSilence(body: ReadableStream<Uint8Array>, connection: AbortController): ReadableStream<Uint8Array> {
  let timer = setTimeout(() => connection.abort(), SILENCE_MS_MAX)
  const heard = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      clearTimeout(timer)
      timer = setTimeout(() => connection.abort(), SILENCE_MS_MAX)
      controller.enqueue(chunk)
    },
  })
  connection.signal.addEventListener('abort', () => clearTimeout(timer), { once: true })
  return body.pipeThrough(heard, { signal: connection.signal })
}

function noticeOf(frame: Frame): Notice | undefined {
  if (frame.event !== 'gap' && frame.event !== 'reset' && frame.event !== 'delta') return undefined
  return { kind: frame.event, data: JSON.parse(frame.data) as Json }
}

/** Where a reset goes back to, when it says so. */
function positionOf(data: Json): string | undefined {
  const after = typeof data === 'object' && data !== null && 'after' in data ? data['after'] : undefined
  return typeof after === 'string' ? after : undefined
}

/** Positions are `<epoch>-<seq>`. */
function isAbove(position: string, last: string | undefined): boolean {
  if (last === undefined) return true
  const [epoch = 0, seq = 0] = position.split('-').map(Number)
  const [lastEpoch = 0, lastSeq = 0] = last.split('-').map(Number)
  return epoch > lastEpoch || (epoch === lastEpoch && seq > lastSeq)
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms)
    signal?.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true })
  })
}
