import { CONTENT_BYTES_MAX, EVENT_BYTES_MAX, INLINE_BYTES_MAX, RefusedError, UnavailableError, type ContentRef } from '@koco/core'
import type { Kept } from '../contents/port.ts'
import { never, type Runtime } from './runtime.ts'

/** What an event holds besides the result. */
const FRAME_BYTES_MAX = 16 * 1024
const DELAY_MS = 500
const DELAY_MS_MAX = 10_000

/**
 * Keeps the JSON text of a step's result outside its event when it is large and there is a place for it; undefined when it stays in the event. It is durable before anything names it. A place that does not work
 * now is waited for when the event could not hold the result; after `storedMs` the try ends and a later one does the step again. RefusedError `event_too_large`.
 */
export async function keepResult(runtime: Runtime, step: string, text: string): Promise<Kept | undefined> {
  const bytes = Buffer.byteLength(text)
  if (bytes <= INLINE_BYTES_MAX) return undefined
  const { contents, flow, limits } = runtime.deps
  if (bytes > (contents ? CONTENT_BYTES_MAX : EVENT_BYTES_MAX)) throw tooLarge(flow.name, step, bytes, contents !== undefined)
  const deadline = performance.now() + limits.storedMs
  for (let delayMs = DELAY_MS; ; delayMs = Math.min(2 * delayMs, DELAY_MS_MAX)) {
    try {
      const kept = await contents?.keep(text)
      if (!kept && bytes > EVENT_BYTES_MAX) throw tooLarge(flow.name, step, bytes, false)
      return kept
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error
      // Where the event can hold it nothing is gained by waiting.
      if (bytes <= EVENT_BYTES_MAX - FRAME_BYTES_MAX) return undefined
      if (performance.now() > deadline) return failed(runtime, error)
    }
    await new Promise<void>((resolve) => runtime.deps.clock.timer(delayMs, resolve))
    if (runtime.phase === 'closed') return never()
  }
}

/** The JSON text of a result that an event names. A place that does not work now ends the try; RefusedError `unknown_blob` and PoisonError `blob_corrupt` for a result that is lost. */
export async function readResult(runtime: Runtime, step: string, content: ContentRef): Promise<string> {
  const { contents } = runtime.deps
  if (!contents)
    throw new RefusedError(`The result of step "${step}" lies in a content store, and there is none here. Set KODO_BLOB_STORE.`, { code: 'no_contents' })
  const end = runtime.begin()
  try {
    return await contents.read(content)
  } catch (error) {
    if (error instanceof UnavailableError) return failed(runtime, error)
    throw error
  } finally {
    end()
  }
}

function failed<T>(runtime: Runtime, error: unknown): Promise<T> {
  runtime.fail(error)
  return never()
}

function tooLarge(flow: string, step: string, bytes: number, kept: boolean): RefusedError {
  const [limit, remedy] = kept
    ? [CONTENT_BYTES_MAX, '']
    : [EVENT_BYTES_MAX, 'or set KODO_BLOB_STORE to a content store that every process of this installation sees, which holds results up to 16 MiB, ']
  return new RefusedError(
    `The result of step "${step}" of flow "${flow}" has ${bytes} bytes; the limit is ${limit}. Write large data to a file (ctx.files) and return its path, ${remedy}or return less.`,
    { code: 'event_too_large' },
  )
}
