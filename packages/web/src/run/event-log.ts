import { comparePositions, must, parsePosition, type Position } from '@koco/core'
import type { TimelineEvent } from '@koco/core/api'

/** How many events a page holds; above it the oldest quarter is let go and counted in `dropped`. */
export const EVENTS_HELD_MAX = 200_000

/**
 * The events of one run in position order, each once, as far as they were read. Appending is what it is made for; the array is handed out as it is, so that 100,000 events are
 * not copied at each news: `version` tells that it changed.
 */
export class EventLog {
  readonly kinds = new Map<string, number>()
  version = 0
  /** Events that were let go at the front because there were too many. */
  dropped = 0
  #events: TimelineEvent[] = []

  get events(): readonly TimelineEvent[] {
    return this.#events
  }

  get last(): string | undefined {
    return this.#events.at(-1)?.position
  }

  /** Adds events that come after the last one; what is not above it is passed over. Gives those that were added. */
  append(events: readonly TimelineEvent[]): readonly TimelineEvent[] {
    let last = this.#lastPosition()
    const added: TimelineEvent[] = []
    for (const event of events) {
      const position = must(parsePosition(event.position), `the position of event ${event.position}`)
      if (last && comparePositions(position, last) <= 0) continue
      last = position
      added.push(event)
      this.kinds.set(event.kind, (this.kinds.get(event.kind) ?? 0) + 1)
    }
    for (const event of added) this.#events.push(event)
    if (this.#events.length > EVENTS_HELD_MAX) this.#shed()
    if (added.length > 0) this.version += 1
    return added
  }

  /** Takes back every event after a position. */
  rewind(after: Position): void {
    let end = this.#events.length
    while (end > 0 && comparePositions(must(parsePosition(must(this.#events[end - 1], 'event').position), 'position'), after) > 0) end -= 1
    this.#forget(this.#events.splice(end))
    this.version += 1
  }

  #lastPosition(): Position | undefined {
    return this.last === undefined ? undefined : parsePosition(this.last)
  }

  #shed(): void {
    const gone = this.#events.splice(0, Math.floor(EVENTS_HELD_MAX / 4))
    this.dropped += gone.length
    this.#forget(gone)
  }

  #forget(events: readonly TimelineEvent[]): void {
    for (const event of events) this.kinds.set(event.kind, (this.kinds.get(event.kind) ?? 1) - 1)
  }
}
