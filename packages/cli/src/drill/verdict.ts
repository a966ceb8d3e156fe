import { decodeEvent, isJsonObject, ORIGIN, type EventRecord, type Position } from '@koco/core'
import { checkRun } from '@koco/core/checker'
import type { EventReader } from '@koco/storage'

/** What the checker found: records that the stream acknowledged to the workers, events stored; what is there twice (steps that were finished twice included); what is missing. */
export type CheckerCounts = { readonly acknowledged: number; readonly stored: number; readonly duplicates: number; readonly holes: number }

/** The checker's judgement of a run. `faults`: one sentence each, none when all is well. */
export type Verdict = { readonly checker: CheckerCounts; readonly faults: readonly string[] }

const PAGE = 1000

/** Judges a run that is over: what was acknowledged is stored, once, in order, without a hole, and no finished step was made again. */
export async function judgeRun(reader: EventReader, fid: string, acknowledged: readonly EventRecord[]): Promise<Verdict> {
  const timeline = await readTimeline(reader, fid)
  const violations = checkRun({ fid, acknowledged: onceEach(acknowledged), stored: timeline, timeline })
  const again = madeAgain(fid, timeline)
  const count = (...rules: string[]): number => violations.filter(({ rule }) => rules.includes(rule)).length
  return {
    checker: {
      acknowledged: onceEach(acknowledged).length,
      stored: timeline.length,
      duplicates: count('twice') + again.length,
      holes: count('hole', 'lost'),
    },
    faults: [
      ...violations.map(({ rule, position, note }) => `${rule} ${position}: ${note}`),
      ...again.map((step) => `step ${step} was finished more than once`),
    ],
  }
}

/** All of a run's timeline. */
export async function readTimeline(reader: EventReader, fid: string): Promise<EventRecord[]> {
  const records: EventRecord[] = []
  for (let after: Position = ORIGIN; ;) {
    const page = await reader.read(fid, { after, limit: PAGE })
    records.push(...page.records)
    if (page.caughtUp || page.records.length === 0) return records
    after = page.scanned
  }
}

/** A record whose first acknowledgement got lost is acknowledged again. */
function onceEach(records: readonly EventRecord[]): EventRecord[] {
  return [...new Map(records.map((record) => [`${record.epoch}-${record.seq}`, record])).values()]
}

function madeAgain(fid: string, timeline: readonly EventRecord[]): string[] {
  const finished = timeline.flatMap((record) => {
    const event = record.kind === 'step' ? decodeEvent(fid, record) : undefined
    return event?.kind === 'step' && isJsonObject(event.data) && event.data.phase === 'finished' ? [event.data.id] : []
  })
  return finished.filter((id, index) => finished.indexOf(id) !== index)
}
