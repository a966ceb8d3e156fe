import { formatPosition, ORIGIN, parseJson, toJson, type Json, type Position } from '@koco/core'
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

type Source = Pick<PanelDeps, 'store' | 'clock'>

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

/** The whole timeline of a run, page by page. */
export async function* eventsOf({ store }: Pick<Source, 'store'>, fid: string): AsyncGenerator<ShownEvent[]> {
  let after: Position = ORIGIN
  for (;;) {
    const page = await store.reader.read(fid, { after, limit: PAGE })
    if (page.records.length > 0) {
      yield page.records.map((record) => {
        const { epoch, seq, ts, kind, step } = record
        return { position: formatPosition(record), epoch, seq, ts, kind, step, data: parseJson(record.data) }
      })
    }
    if (page.caughtUp) return
    after = page.scanned
  }
}
