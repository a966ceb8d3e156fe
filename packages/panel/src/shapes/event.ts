import type * as api from '@koco/core/api'
import type { EventRecord, Position } from '@koco/core'
import { ORIGIN, parsePosition } from '@koco/core'
import type { EventReader } from '@koco/storage'
import { z } from 'zod'
import { ProblemError } from '../server/problems.ts'
import { json } from './json.ts'
import { shapeOf } from './shape-of.ts'

/** An event as the API shows it. */
export const Event = shapeOf<api.TimelineEvent>()(
  z
    .object({
      position: z.string().describe('its cursor, `<epoch>-<seq>`'),
      fid: z.string(),
      epoch: z.number().int(),
      seq: z.number().int(),
      ts: z.number().describe('unix seconds'),
      kind: z.string().describe('one of a growing list; pass over what you do not know'),
      step: z.string().nullable(),
      data: json,
    })
    .meta({ id: 'Event', description: 'One immutable record of a run.' }),
)

/**
 * The position that a client's cursor names in this run; without one the beginning. Problem 400 `bad_cursor` for another form and for a position
 * that this run's timeline does not have.
 */
export async function cursorOf(reader: EventReader, fid: string, text: string | undefined): Promise<Position> {
  if (text === undefined || text === '') return ORIGIN
  const position = parsePosition(text)
  if (!position) throw badCursor(text, 'is not a position `<epoch>-<seq>`')
  if (position.epoch === 0 && position.seq === 0) return ORIGIN
  if (!(await recordAt(reader, fid, position))) throw badCursor(text, `is not a position of run ${fid}`)
  return position
}

/** The event of a run's timeline at a position: reading from just before it must give it. */
export async function recordAt(reader: EventReader, fid: string, position: Position | undefined): Promise<EventRecord | undefined> {
  if (!position || position.seq === 0) return undefined
  const { epoch, seq } = position
  const found = (await reader.read(fid, { after: { epoch, seq: seq - 1 }, limit: 1 })).records[0]
  return found?.epoch === epoch && found.seq === seq ? found : undefined
}

function badCursor(text: string, why: string): ProblemError {
  return new ProblemError(400, 'bad_cursor', `The cursor "${text.slice(0, 80)}" ${why}. Leave it out to read from the beginning.`)
}
