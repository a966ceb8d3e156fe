import type { TimelineEvent } from '@koco/core/api'
import { Text } from '@mantine/core'
import { useHotkeys } from '@mantine/hooks'
import { useVirtualizer } from '@tanstack/react-virtual'
import { useCallback, useEffect, useRef, useState, type Key } from 'react'
import { useRowKeys } from '../app/row-keys.ts'
import { count } from '../show/format.ts'
import { EventRow } from './event-row.tsx'
import type { FeedState, RunFeed } from './feed.ts'
import { useFollow } from './follow.ts'
import { JumpToNewest } from './jump-to-newest.tsx'
import { LiveTextRow } from './live-text-row.tsx'
import { useShownEvents } from './shown-events.ts'
import classes from './timeline.module.css'

const ROW_PX = 32

type Props = {
  readonly feed: RunFeed
  readonly state: FeedState
  readonly kinds: ReadonlySet<string> | null
  /** The position of the event that the URL names. */
  readonly at: string | null
  readonly follow: boolean
  readonly total: number
  /** It stands beside the steps: J and K move among those. */
  readonly beside?: boolean
}

/** The list of events: only what is in sight is in the page, so 100,000 events scroll like 100. Follows the newest until a person scrolls away from it. */
export function Timeline({ feed, state, kinds, at, follow, total, beside = false }: Props) {
  const box = useRef<HTMLDivElement>(null)
  const events = useShownEvents(feed, kinds)
  const virtual = useVirtualizer({
    count: events.length,
    getScrollElement: () => box.current,
    estimateSize: () => ROW_PX,
    overscan: 8,
    getItemKey: useCallback((index: number) => events[index]?.position ?? index, [events]),
  })
  const following = useFollow(box, follow)
  useRowKeys({
    list: box,
    count: beside ? 0 : events.length,
    reveal: (index) => {
      following.stop()
      virtual.scrollToIndex(index, { align: 'auto' })
    },
    first: () => virtual.getVirtualItems().find((item) => item.start >= (box.current?.scrollTop ?? 0))?.index ?? 0,
  })
  useHotkeys([['f', () => (following.on ? following.stop() : following.start())]])
  useJumpTo(at, events, (index) => {
    following.stop()
    virtual.scrollToIndex(index, { align: 'center' })
  })
  return (
    <div className={classes['frame']}>
      {state.phase === 'loading' && total > 1000 && <Note>{`Reading ${count(feed.log.events.length)} of ${count(total)} events …`}</Note>}
      {feed.log.dropped > 0 && <Note>{`The first ${count(feed.log.dropped)} events are not held by this page; “koco runs export” has them all.`}</Note>}
      {/* A scrolling region that can be reached by keyboard. */}
      <div
        ref={box}
        className={classes['box']}
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        tabIndex={0}
        role="log"
        aria-live="off"
        aria-label="Events"
        {...following.handlers}
      >
        <Rows events={events} at={at} items={virtual.getVirtualItems()} height={virtual.getTotalSize()} measure={virtual.measureElement} />
        <LiveTextRow texts={feed.live.texts} />
      </div>
      {!following.on && !following.atEnd && <JumpToNewest rows={events.length} jump={following.start} />}
    </div>
  )
}

type RowsProps = {
  readonly events: readonly TimelineEvent[]
  readonly at: string | null
  readonly items: readonly { readonly key: Key; readonly index: number; readonly start: number }[]
  readonly height: number
  readonly measure: (element: HTMLElement | null) => void
}

function Rows({ events, at, items, height, measure }: RowsProps) {
  const [open, setOpen] = useState<ReadonlySet<string>>(() => new Set(at === null ? [] : [at]))
  const toggle = useCallback((position: string) => setOpen((before) => toggled(before, position)), [])
  useHotkeys([['Escape', () => setOpen(new Set())]])
  const first = events[0]?.ts ?? 0
  return (
    <div className={classes['list']} style={{ height }}>
      {items.map((item) => {
        const event = events[item.index]
        if (!event) return null
        const { position } = event
        return (
          <div key={item.key} data-index={item.index} ref={measure} className={classes['item']} style={{ transform: `translateY(${item.start}px)` }}>
            <EventRow
              event={event}
              since={first}
              open={open.has(position)}
              marked={position === at}
              toggle={toggle}
              newTry={event.kind === 'attempt' && item.index > 0}
            />
          </div>
        )
      })}
    </div>
  )
}

function Note({ children }: { readonly children: string }) {
  return (
    <Text size="xs" c="dimmed" px="sm" py={6} role="status">
      {children}
    </Text>
  )
}

/** Scrolls once to the event that the URL names, as soon as it was read. */
function useJumpTo(at: string | null, events: readonly TimelineEvent[], jump: (index: number) => void): void {
  const done = useRef<string | null>(null)
  const latest = useRef(jump)
  useEffect(() => {
    latest.current = jump
  })
  useEffect(() => {
    if (at === null || done.current === at) return
    const index = events.findIndex((event) => event.position === at)
    if (index < 0) return
    done.current = at
    latest.current(index)
  }, [at, events])
}

function toggled(set: ReadonlySet<string>, item: string): ReadonlySet<string> {
  const next = new Set(set)
  if (!next.delete(item)) next.add(item)
  return next
}
