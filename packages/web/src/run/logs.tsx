import { isJsonObject } from '@koco/core'
import { useVirtualizer } from '@tanstack/react-virtual'
import { useMemo, useRef } from 'react'
import { Empty } from '../app/states.tsx'
import { useFollow } from './follow.ts'
import type { RunFeed } from './feed.ts'
import { LogLine } from './log-line.tsx'
import { logLines } from './log-lines.ts'
import classes from './logs.module.css'
import { useShownEvents } from './shown-events.ts'

const KINDS: ReadonlySet<string> = new Set(['stdout', 'stderr'])
const LINE_PX = 20

/** What the flow printed, line by line in its colours; follows the end while the run is live. */
export function Logs({ feed, live }: { readonly feed: RunFeed; readonly live: boolean }) {
  const events = useShownEvents(feed, KINDS)
  const lines = useMemo(
    () =>
      logLines(
        events.map((event) => ({ kind: event.kind, text: isJsonObject(event.data) && typeof event.data['text'] === 'string' ? event.data['text'] : '' })),
      ),
    [events],
  )
  const box = useRef<HTMLDivElement>(null)
  const virtual = useVirtualizer({ count: lines.length, getScrollElement: () => box.current, estimateSize: () => LINE_PX, overscan: 30 })
  const follow = useFollow(box, live)
  if (lines.length === 0) return <Empty title="Nothing printed">What a flow writes with console.log appears here.</Empty>
  return (
    // A scrolling region that can be reached by keyboard.
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div ref={box} className={classes['box']} tabIndex={0} role="log" aria-live="off" aria-label="Log" {...follow.handlers}>
      <div className={classes['list']} style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map((item) => {
          const line = lines[item.index]
          return (
            <div
              key={item.key}
              data-index={item.index}
              ref={virtual.measureElement}
              className={classes['line']}
              data-kind={line?.kind}
              style={{ transform: `translateY(${item.start}px)` }}
            >
              <LogLine text={line?.text ?? ''} />
            </div>
          )
        })}
      </div>
    </div>
  )
}
