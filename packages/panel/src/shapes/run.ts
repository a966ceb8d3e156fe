import type * as api from '@koco/core/api'
import { formatPosition, isEnded, RUN_STATUSES, toJsonText, type ErrorValue, type RunState, type TypedValue, type Usage } from '@koco/core'
import { inputsInShort, type ListedRun, type RunSummary } from '@koco/storage'
import { z } from 'zod'
import { json, jsonOf } from './json.ts'
import { Lock } from './lock.ts'
import { shapeOf } from './shape-of.ts'

const seconds = z.number().describe('unix seconds')

/** A run as the API shows it. */
export const Run = shapeOf<api.Run>()(
  z
    .object({
      fid: z.string(),
      flow: z.string(),
      version: z.string().nullable(),
      status: z.enum(RUN_STATUSES),
      user: z.string(),
      summary: z.string(),
      about: z.string().describe('its inputs in one short line, by which runs of a flow are told apart: `city=Lisbon, days=3`'),
      tags: z.array(z.string()),
      parent: z.string().nullable().describe('the run that started this one'),
      created_at: seconds,
      started_at: seconds.nullable(),
      finished_at: seconds.nullable(),
      wake_at: seconds.nullable().describe('when a waiting run goes on by itself'),
      deaths: z
        .number()
        .int()
        .describe('while it rests, until wake_at, because its tries end with the death of their process: how many did so one after the other; else 0'),
      runtime_s: z.number().nullable(),
      attempt: z.number().int(),
      events: z.number().int(),
      last_position: z.string().describe('the cursor of its last event; 0-0 before the first'),
      open_locks: z.number().int().describe('how many questions to people are open'),
      locks: z.array(Lock).nullable().describe('its questions to people; null in lists'),
      final: jsonOf<TypedValue | null>('the result, {type, value}; null in lists'),
      error: jsonOf<ErrorValue | null>('why it failed, {name, message, …}'),
      usage: jsonOf<Usage | null>('tokens and cost of its model calls'),
      progress: jsonOf<RunState['progress']>('{done, total, text}'),
    })
    .meta({ id: 'Run', description: 'One execution of a flow. What is not known yet is null.' }),
)

/** A run with what only its own page needs. */
export const RunDetail = shapeOf<api.RunDetail>()(
  Run.extend({
    locks: z.array(Lock),
    inputs: json,
    archived: z.boolean(),
    launcher: z.string().describe('`import`: it was read from a file, and takes no requests but to be archived'),
    temporal_url: z.string().nullable().describe('its workflow in the page of Temporal, when the installation knows that page'),
    children: z.number().int().describe('how many runs it has started: `GET /api/runs?parent=<fid>` lists them'),
    wanted: z.enum(['pause', 'cancel']).nullable().describe('what people asked of it and it has not come to yet'),
  }).meta({ id: 'RunDetail' }),
)

type ShownRun = ListedRun | (RunSummary & Pick<RunState, 'inputs'> & Partial<Pick<RunState, 'final'>>)

/** The JSON of a run; without its locks, and in a list without `final`. Runtime of a live run is counted up to `nowMs`. */
export function runJson(run: ShownRun, nowMs: number): z.infer<typeof Run> {
  const started = run.startedAt
  const ends = run.finishedAt ?? (isEnded(run.status) ? started : nowMs / 1000)
  return {
    fid: run.fid,
    flow: run.flow,
    version: run.version,
    status: run.status,
    user: run.user,
    summary: run.summary,
    about: 'about' in run ? run.about : inputsInShort(toJsonText(run.inputs)),
    tags: [...run.tags],
    parent: run.parent,
    created_at: run.createdAt,
    started_at: started,
    finished_at: run.finishedAt,
    wake_at: run.wakeAt,
    deaths: run.deaths,
    runtime_s: started === null || ends === null ? null : Math.max(0, Math.round((ends - started) * 1000) / 1000),
    attempt: run.attempt,
    events: run.events,
    last_position: formatPosition(run.lastPosition),
    open_locks: isEnded(run.status) ? 0 : run.openLocks,
    locks: null,
    final: 'final' in run ? (run.final ?? null) : null,
    error: run.error,
    usage: run.usage,
    progress: run.progress,
  }
}
