import type { z } from 'zod'
import { csvLine } from './csv.ts'
import type { Run } from './run.ts'

type Row = z.infer<typeof Run>
type Cell = string | number | null

const time = (seconds: number | null): string | null => (seconds === null ? null : new Date(seconds * 1000).toISOString())

/** The columns of a table of runs; the names are those of the API's fields, times are ISO 8601. */
const COLUMNS: Readonly<Record<string, (run: Row) => Cell>> = {
  fid: (run) => run.fid,
  flow: (run) => run.flow,
  version: (run) => run.version,
  status: (run) => run.status,
  user: (run) => run.user,
  about: (run) => run.about,
  tags: (run) => run.tags.join(' '),
  parent: (run) => run.parent,
  created_at: (run) => time(run.created_at),
  started_at: (run) => time(run.started_at),
  finished_at: (run) => time(run.finished_at),
  runtime_s: (run) => run.runtime_s,
  attempt: (run) => run.attempt,
  events: (run) => run.events,
  open_locks: (run) => run.open_locks,
  model_calls: (run) => run.usage?.calls ?? null,
  input_uncached: (run) => run.usage?.input_uncached ?? null,
  cache_read: (run) => run.usage?.cache_read ?? null,
  cache_write: (run) => run.usage?.cache_write ?? null,
  output: (run) => run.usage?.output ?? null,
  reasoning: (run) => run.usage?.reasoning ?? null,
  cost: (run) => run.usage?.cost ?? null,
  error: (run) => run.error && `${run.error.name}: ${run.error.message}`,
}

/** The first line of a table of runs. */
export const RUN_CSV_HEAD = csvLine(Object.keys(COLUMNS))

/** A run as a line of that table. */
export function runCsv(run: Row): string {
  return csvLine(Object.values(COLUMNS).map((cell) => cell(run)))
}
