import {
  comparePositions,
  formatPosition,
  isEnded,
  isRunStatus,
  parseJson,
  toJsonText,
  type EventData,
  type EventRecord,
  type Json,
  type Position,
} from '@koco/core'
import { idempotencyKey } from '../executor/idempotency-key.ts'

/**
 * What is changed in a fork. `inputs`: other inputs. `results`: other results of finished steps, by the steps' ids. `again`: ids of finished steps that are done again although their results are in the
 * prefix, which is what a step whose declared input changes with the inputs needs.
 */
export type ForkEdits = { readonly inputs?: Json; readonly results?: Readonly<Record<string, Json>>; readonly again?: readonly string[] }

/** A step as a plan shows it. `key`: the idempotency key that it hands to outside systems in the fork; `before`: the one that it handed out in the original run. */
export type PlannedStep = { readonly id: string; readonly name: string; readonly at: Position; readonly edited: boolean }
export type PlannedAgain = {
  readonly id: string
  readonly name: string
  readonly reason: 'unfinished' | 'later' | 'asked'
  readonly before: string
  readonly key: string
}

/**
 * What a fork of a run at a position comes to. `events`: how many the prefix has. `reused`: steps whose results are taken over. `again`: steps of the original that the fork does again, as far as the original came. `openLocks`:
 * questions that were open there; the fork asks them again. `children`: runs that the original had started and that had not ended; the fork starts its own. `endCut`: the end of the original is left out.
 */
export type ForkPlan = {
  readonly from: string
  readonly at: Position
  readonly events: number
  readonly reused: readonly PlannedStep[]
  readonly again: readonly PlannedAgain[]
  readonly openLocks: readonly { readonly lid: string; readonly name: string }[]
  readonly children: readonly { readonly fid: string; readonly flow: string }[]
  readonly endCut: boolean
}

/** The events that a fork begins with, in order, and what is known of them. */
export type ForkPrefix = { readonly records: readonly EventRecord[]; readonly inputs: Json | undefined; readonly uploads: readonly string[] }

type Step = EventData['step']

const END_KINDS: ReadonlySet<string> = new Set(['final', 'error'])

/** The plan of a fork of run `from`, to be called `fork`, out of the whole timeline of the original. Pure. */
export function planFork(from: string, fork: string, timeline: readonly EventRecord[], at: Position, edits: ForkEdits): ForkPlan {
  const prefix = prefixOf(timeline, at)
  const finished = finishedSteps(prefix)
  const again = new Set(edits.again ?? [])
  const reused: PlannedStep[] = []
  const redone = new Map<string, PlannedAgain>()
  const note = (id: string, name: string, reason: PlannedAgain['reason']): void => {
    if (!id.startsWith('$') && !redone.has(id)) redone.set(id, { id, name, reason, before: idempotencyKey(from, id), key: idempotencyKey(fork, id) })
  }
  for (const [id, { name, at: where }] of finished) {
    if (again.has(id)) note(id, name, 'asked')
    else if (!id.startsWith('$')) reused.push({ id, name, at: where, edited: Object.hasOwn(edits.results ?? {}, id) })
  }
  for (const record of timeline) {
    if (record.kind !== 'step') continue
    const step = dataOf<Step>(record)
    if (finished.has(step.id)) continue
    note(step.id, step.name, comparePositions(record, at) <= 0 ? 'unfinished' : 'later')
  }
  const events = prefix.length
  return {
    from,
    at,
    events,
    reused,
    again: [...redone.values()],
    openLocks: openLocks(prefix),
    children: openChildren(prefix),
    endCut: events < countTo(timeline, at),
  }
}

/**
 * The events of the original up to `at`, made into those of a fork: its own end is left out, edits are put in, and what belongs to the original alone (open questions, the runs that it had started) is turned into a note at its place, so that
 * every position stays. `user`: whose the fork is.
 */
export function forkPrefix(from: string, timeline: readonly EventRecord[], at: Position, user: string, edits: ForkEdits): ForkPrefix {
  const prefix = prefixOf(timeline, at)
  const children = new Set(openChildren(prefix).map(({ fid }) => fid))
  const questions = new Set(openLocks(prefix).map(({ lid }) => lid))
  const last = finishedSteps(prefix)
  let inputs: Json | undefined
  const uploads: string[] = []
  const records = prefix.map((record): EventRecord => {
    const data = parseJson(record.data)
    if (record.kind === 'inputs') {
      inputs = edits.inputs ?? (data as unknown as EventData['inputs']).inputs
      return withData(record, { inputs })
    }
    if (record.kind === 'meta') {
      const { parent: _parent, ...meta } = data as unknown as EventData['meta']
      return withData(record, { ...meta, user, forked_from: { fid: from, position: formatPosition(at) } })
    }
    if (record.kind === 'upload') uploads.push((data as unknown as EventData['upload']).path)
    if (record.kind === 'child') {
      const child = data as unknown as EventData['child']
      return children.has(child.fid) ? asNote(record, `run ${child.fid} of flow ${child.flow} was started by the run that this one is forked from`) : record
    }
    if (record.kind === 'lock') {
      const { lid, name } = data as unknown as EventData['lock']
      return questions.has(lid) ? asNote(record, `question ${name} was open in the run that this one is forked from; it is asked again`) : record
    }
    if (record.kind === 'escalate' && questions.has((data as unknown as EventData['escalate']).lid))
      return asNote(record, 'the question was put to others there')
    return record.kind === 'step' ? editStep(record, data as unknown as Step, last, edits) : record
  })
  return { records, inputs, uploads }
}

function editStep(record: EventRecord, step: Step, last: ReadonlyMap<string, { readonly at: Position }>, edits: ForkEdits): EventRecord {
  if (step.phase !== 'finished') return record
  if (edits.again?.includes(step.id)) return asNote(record, `step ${step.name} is done again in this fork`)
  const isLast = comparePositions(last.get(step.id)?.at ?? record, record) === 0
  if (!isLast || !Object.hasOwn(edits.results ?? {}, step.id)) return record
  const { undefined: _undefined, content: _content, ...rest } = step
  return withData(record, { ...rest, result: edits.results?.[step.id] ?? null })
}

/** Up to the position, without the end of the run where it is the last that happened: a fork goes on. */
function prefixOf(timeline: readonly EventRecord[], at: Position): readonly EventRecord[] {
  let count = countTo(timeline, at)
  while (count > 0 && isEnd(timeline[count - 1])) count--
  return timeline.slice(0, count)
}

function isEnd(record: EventRecord | undefined): boolean {
  if (!record) return false
  if (END_KINDS.has(record.kind)) return true
  if (record.kind === 'cancel') return true
  if (record.kind !== 'status') return false
  const { status } = dataOf<EventData['status']>(record)
  return isRunStatus(status) && isEnded(status)
}

function countTo(timeline: readonly EventRecord[], at: Position): number {
  const first = timeline.findIndex((record) => comparePositions(record, at) > 0)
  return first === -1 ? timeline.length : first
}

function finishedSteps(prefix: readonly EventRecord[]): Map<string, { readonly name: string; readonly at: Position }> {
  const finished = new Map<string, { readonly name: string; readonly at: Position }>()
  for (const record of prefix) {
    if (record.kind !== 'step') continue
    const step = dataOf<Step>(record)
    if (step.phase === 'finished') finished.set(step.id, { name: step.name, at: { epoch: record.epoch, seq: record.seq } })
  }
  return finished
}

function openLocks(prefix: readonly EventRecord[]): { readonly lid: string; readonly name: string }[] {
  const open = new Map<string, string>()
  for (const record of prefix) {
    if (record.kind === 'lock') {
      const { lid, name } = dataOf<EventData['lock']>(record)
      open.set(lid, name)
    } else if (record.kind === 'lease') open.delete(dataOf<EventData['lease']>(record).lid)
  }
  return [...open].map(([lid, name]) => ({ lid, name }))
}

function openChildren(prefix: readonly EventRecord[]): { readonly fid: string; readonly flow: string }[] {
  const open = new Map<string, string>()
  for (const record of prefix) {
    if (record.kind !== 'child') continue
    const { phase, fid, flow } = dataOf<EventData['child']>(record)
    if (phase === 'started') open.set(fid, flow)
    else open.delete(fid)
  }
  return [...open].map(([fid, flow]) => ({ fid, flow }))
}

function asNote(record: EventRecord, text: string): EventRecord {
  return { ...withData(record, { type: 'text', value: text }), kind: 'debug' }
}

function withData(record: EventRecord, data: object): EventRecord {
  return { ...record, data: toJsonText(data) }
}

function dataOf<T>(record: EventRecord): T {
  return parseJson(record.data) as unknown as T
}
