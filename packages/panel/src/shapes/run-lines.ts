import { contentOf, formatPosition, ORIGIN, toJson, type Json, type Position } from '@koco/core'
import { wholeData } from '@koco/flow'
import type { RunStore } from '@koco/storage'
import type { PanelDeps } from '../options.ts'
import { runJson } from './run.ts'

const PAGE = 500

/** A run with its bodies, as the store gives it. */
type WholeRun = NonNullable<Awaited<ReturnType<RunStore['get']>>>

/** Changes values on their way out; `redact` is one. */
export type Clean = (value: Json) => Json

/** An event as it is written. */
export type ShownEvent = {
  readonly position: string
  readonly epoch: number
  readonly seq: number
  readonly ts: number
  readonly kind: string
  readonly step: string | null
  readonly data: Json
}

type Source = Pick<PanelDeps, 'store' | 'contents' | 'clock'>

/** A run as JSON lines, the one form in which runs leave and come back: first `{"run": …}`, then `{"event": …}` for each event of its timeline. */
export async function* runLines(source: Source, run: WholeRun, clean: Clean = (value) => value): AsyncGenerator<string> {
  yield `${JSON.stringify({ run: clean(wholeRun(source, run)) })}\n`
  for await (const events of eventsOf(source, run.fid))
    yield events.map((event) => `${JSON.stringify({ event: { ...event, data: clean(event.data) } })}\n`).join('')
}

/** A run with its inputs, as the API shows it. */
export function wholeRun({ clock }: Pick<Source, 'clock'>, run: WholeRun): Json {
  return toJson({ ...runJson(run, clock()), inputs: run.inputs })
}

/** The whole timeline of a run, some events at a time, with the results that events only name. */
export async function* eventsOf({ store, contents }: Pick<Source, 'store' | 'contents'>, fid: string): AsyncGenerator<ShownEvent[]> {
  let after: Position = ORIGIN
  for (;;) {
    const page = await store.reader.read(fid, { after, limit: PAGE })
    if (page.records.length > 0) {
      const events: ShownEvent[] = []
      for (const record of page.records) {
        const { epoch, seq, ts, kind, step } = record
        events.push({ position: formatPosition(record), epoch, seq, ts, kind, step, data: await wholeData(contents, record) })
        // So that a page of large results is not in memory at once.
        if (contentOf(record)) yield events.splice(0)
      }
      yield events
    }
    if (page.caughtUp) return
    after = page.scanned
  }
}
