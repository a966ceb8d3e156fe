import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { EventRecord } from '@koco/core'
import { checkRun } from '@koco/testing'
import type { ApiEvent } from '../processes/api-client.ts'
import type { LiveReader } from './live-reader.ts'
import type { Load } from './workload.ts'
import type { World } from './world.ts'

/** What came out for one run. `violations` is empty for a run that was kept whole. */
export type RunVerdict = { readonly violations: readonly string[]; readonly acknowledged: number; readonly stored: number; readonly checked: number }

/** What is set aside because a stranger wrote it is no loss of ours. */
const NOT_OURS = 'foreign: no event of this system'

/** Judges a run at its end: by the checker, by the numbers that it emitted, by what was acknowledged to it, and by what each reader was shown. */
export async function judgeRun(world: World, fid: string, load: Load, readers: readonly LiveReader[]): Promise<RunVerdict> {
  const { status } = await world.client.run(fid)
  const timeline = await world.client.events(fid)
  const stored = await world.stored(fid)
  for (const { kind, data } of timeline) if (kind === 'attempt') world.evidence.hear(`timeline attempt ${String(data['reason'])}`)
  const acknowledged = acknowledgedOf(world, fid)
  const { items: dead } = await world.client.json<{ items: { position: string; reason: string }[] }>('GET', `/api/dead?fid=${fid}&limit=200`)
  const found = [
    ...(status === 'finished' ? [] : [`ended: the run is ${status}`]),
    ...checkRun({ fid, acknowledged: [], stored, timeline: timeline.map(recordOf) }).map(({ rule, position, note }) => `${rule}: ${position} ${note}`),
    ...dead.filter(({ reason }) => reason !== NOT_OURS).map(({ position, reason }) => `dead: ${position} was set aside: ${reason}`),
    ...checkNumbers(timeline, load, acknowledged),
    ...readers.flatMap((reader) => checkReader(reader, timeline)),
  ]
  const checked = timeline.length + readers.reduce((sum, reader) => sum + reader.seen.events.length, 0)
  return { violations: found.map((text) => `${fid} ${text}`), acknowledged, stored: stored.length, checked }
}

/** How many of a run's numbered events its steps had acknowledged. */
function acknowledgedOf(world: World, fid: string): number {
  try {
    return Math.max(...readFileSync(join(world.witness, fid), 'utf8').split('\n').map(Number))
  } catch {
    return 0
  }
}

function checkNumbers(timeline: readonly ApiEvent[], load: Load, acknowledged: number): string[] {
  const numbers = new Set(timeline.filter(({ kind }) => kind === 'action').map(({ data }) => (data['value'] as { n: number }).n))
  const missing = Array.from({ length: load.events }, (_none, n) => n).filter((n) => !numbers.has(n))
  const lost = missing.filter((n) => n < acknowledged)
  const finished = timeline.filter(({ kind, data }) => kind === 'step' && data['phase'] === 'finished').map(({ step }) => step)
  return [
    ...(lost.length > 0 ? [`lost: ${lost.length} of ${acknowledged} acknowledged events are not stored, the first is number ${lost[0]}`] : []),
    ...(missing.length > lost.length ? [`incomplete: ${missing.length - lost.length} of ${load.events} events never came`] : []),
    ...(new Set(finished).size < finished.length ? ['repeated: a step that had finished was done again'] : []),
  ]
}

/** A reader must have been shown exactly the timeline. */
function checkReader({ seen }: LiveReader, timeline: readonly ApiEvent[]): string[] {
  const differs = timeline.findIndex((event, index) => seen.events[index]?.id !== event.position || !sameEvent(seen.events[index]?.data ?? '', event))
  const extra = seen.events.length > timeline.length
  return [
    ...seen.breaks.map((text) => `reader: was told ${text}`),
    ...(differs >= 0
      ? [`reader: at place ${differs} it was shown ${seen.events[differs]?.id ?? 'nothing'}, the store has ${timeline[differs]?.position}`]
      : extra
        ? [`reader: was shown ${seen.events.length} events, the store has ${timeline.length}`]
        : []),
  ]
}

function sameEvent(frame: string, event: ApiEvent): boolean {
  return JSON.stringify(JSON.parse(frame)) === JSON.stringify(event)
}

/** An event of the API as the record that it came from. */
export function recordOf({ epoch, seq, ts, kind, step, data }: ApiEvent): EventRecord {
  return { epoch, seq, ts, kind, step, data: JSON.stringify(data) }
}
