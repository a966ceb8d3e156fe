import type { TimelineEvent } from '@koco/core/api'
import { useMemo } from 'react'
import type { EventLog } from './event-log.ts'
import type { RunFeed } from './feed.ts'

/** The events of the chosen kinds (null: all). What was filtered before is kept, so that each news costs only the new events. */
class ShownEvents {
  readonly #kinds: ReadonlySet<string> | null
  #version = -1
  #seen = 0
  #last: string | undefined
  #shown: readonly TimelineEvent[] = []

  constructor(kinds: ReadonlySet<string> | null) {
    this.#kinds = kinds
  }

  /** What to show of the log now; the same array while nothing changed. */
  of(log: EventLog): readonly TimelineEvent[] {
    if (this.#version === log.version) return this.#shown
    const { events } = log
    // A log that was rewound or let go of its beginning is filtered afresh.
    const grown = this.#seen > 0 && events[this.#seen - 1]?.position === this.#last
    const added = events.slice(grown ? this.#seen : 0).filter((event) => this.#kinds === null || this.#kinds.has(event.kind))
    if (!grown) this.#shown = added
    else if (added.length > 0) this.#shown = [...this.#shown, ...added]
    this.#version = log.version
    this.#seen = events.length
    this.#last = events.at(-1)?.position
    return this.#shown
  }
}

/** The shown events of a feed, for a component that is drawn at each change of the feed. */
export function useShownEvents(feed: RunFeed, kinds: ReadonlySet<string> | null): readonly TimelineEvent[] {
  // A feed of another run has another log: what was filtered belongs to one of them.
  const shown = useMemo(() => ({ feed, events: new ShownEvents(kinds) }), [feed, kinds])
  return shown.events.of(feed.log)
}
