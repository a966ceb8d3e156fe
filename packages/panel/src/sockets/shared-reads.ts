import { formatPosition, type Position } from '@koco/core'
import type { EventPage, EventReader } from '@koco/storage'

const PAGE = 500

/** Reads of timelines that several connections need at the same moment: equal ones share one read of the store. */
export type SharedReads = { read(fid: string, after: Position): Promise<EventPage> }

/** Nothing is kept: a read serves those who ask while it is under way. */
export function createSharedReads(reader: EventReader): SharedReads {
  const underWay = new Map<string, Promise<EventPage>>()
  return {
    read(fid, after) {
      const key = `${fid} ${formatPosition(after)}`
      const known = underWay.get(key)
      if (known) return known
      const read = reader.read(fid, { after, limit: PAGE }).finally(() => underWay.delete(key))
      underWay.set(key, read)
      return read
    },
  }
}
