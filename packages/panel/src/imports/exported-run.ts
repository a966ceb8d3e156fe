import { comparePositions, contentOf, isEventKind, isJsonObject, parseJson, toJson, toJsonText, type EventRecord, type Json, type Position } from '@koco/core'
import { eventSchema, jsonSchema, statusSchema } from '@koco/core/schema'
import { z } from 'zod'
import { ProblemError } from '../server/problems.ts'
import type { Line } from './lines.ts'

const EPOCH_AHEAD_MS = 86_400_000
const SECONDS_MAX = 2 ** 32 - 1
/** Marks a run as one that was read from a file, so that lists can be filtered by it. */
const TAG = 'imported'

const text = (max: number) => z.string().max(max)

/** What the first line says of the run. What it does not need it passes over. */
const Head = z.looseObject({
  fid: z.string().regex(/^[0-9a-f]{24}$/, 'is not a run id: 24 lower-case hex digits'),
  flow: z.string().regex(/^[a-z0-9][a-z0-9._-]{0,62}$/, 'is not the name of a flow'),
  version: text(200).nullable().default(null),
  user: text(200),
  summary: text(500),
  tags: z.array(text(50)).max(20).default([]),
  created_at: z.number().min(1).max(SECONDS_MAX),
  status: statusSchema,
  inputs: jsonSchema.default(null),
})

/** The run of an exported file. */
export type ExportedRun = z.infer<typeof Head>

const Event = z.looseObject({
  epoch: z.int().positive(),
  seq: z.int().positive(),
  ts: z.number().min(0).max(SECONDS_MAX),
  kind: z.string().regex(/^[a-z_]{1,32}$/, 'is not the kind of an event'),
  step: text(2_000).nullable().default(null),
  data: jsonSchema,
})

/** The run that the first line of a file holds. Problem 422 `bad_import` says what is wrong with it. */
export function readHead(line: Line, nowMs: number): ExportedRun {
  const body = objectOf(line)
  const head = body['run']
  if (head === undefined) throw bad(line, 'the file does not begin with a run, {"run": …}')
  const run = parsed(Head, toJson(head), line, 'run')
  if (run.created_at * 1000 > nowMs + EPOCH_AHEAD_MS) throw bad(line, 'the run was created in the future')
  return { ...run, tags: [...run.tags.filter((tag) => tag !== TAG).slice(0, 19), TAG] }
}

/**
 * Reads the events of a file one by one, each above the one before, as records to store for another owner: whoever imports a run owns it, whatever its `meta` events say. Those keep in
 * `imported_from` what they said. Problem 422 `bad_import` names the line and what is wrong with it.
 */
export class ExportedEvents {
  readonly #run: ExportedRun
  readonly #owner: string
  readonly #nowMs: number
  #last: Position = { epoch: 0, seq: 0 }

  constructor(run: ExportedRun, owner: string, nowMs: number) {
    this.#run = run
    this.#owner = owner
    this.#nowMs = nowMs
  }

  read(line: Line): EventRecord {
    const body = objectOf(line)
    if (body['event'] === undefined) throw bad(line, 'this line holds no event, {"event": …}')
    const { epoch, seq, ts, kind, step, data } = parsed(Event, body['event'], line, 'event')
    if (comparePositions({ epoch, seq }, this.#last) <= 0) throw bad(line, `event ${epoch}-${seq} does not come after the one before it`)
    if (epoch > this.#nowMs + EPOCH_AHEAD_MS) throw bad(line, 'the event was written in the future')
    this.#last = { epoch, seq }
    if (isEventKind(kind)) parsed<unknown>(eventSchema(kind), data, line, `${kind} event`)
    const record = { epoch, seq, ts, kind, step: toJson(step) as string | null, data: toJsonText(kind === 'meta' ? this.#owned(data) : data) }
    if (contentOf(record)) throw bad(line, 'the event names content that is not in the file')
    return record
  }

  #owned(data: Json): Json {
    const { parent, user, ...rest } = isJsonObject(data) ? data : {}
    const from = { fid: this.#run.fid, user: user ?? null, parent: parent ?? null }
    return { ...rest, flow: this.#run.flow, user: this.#owner, tags: this.#run.tags, imported_from: from }
  }
}

function objectOf(line: Line): { readonly [key: string]: Json } {
  try {
    const body = parseJson(line.text)
    if (isJsonObject(body)) return body
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause
  }
  throw bad(line, 'it is not a JSON object. Import a file that "Export as JSON lines" or koco runs export has written')
}

function parsed<T>(schema: z.ZodType<T>, value: Json, line: Line, what: string): T {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const issue = result.error.issues[0]
  throw bad(line, `the ${what} is not valid: ${issue?.path.length ? `${issue.path.join('.')}: ` : ''}${issue?.message ?? ''}`)
}

/** Problem 422 `bad_import`: what is wrong, and where. */
export function bad(line: Pick<Line, 'number'>, why: string): ProblemError {
  return new ProblemError(422, 'bad_import', `Line ${line.number}: ${why}.`)
}
