import { Group, Switch, Text } from '@mantine/core'
import { useWindowVirtualizer } from '@tanstack/react-virtual'
import { useMemo, useRef, useState } from 'react'
import { Empty } from '../app/states.tsx'
import { duration } from '../show/format.ts'
import { useNow } from '../show/now.ts'
import type { RunFeed } from './feed.ts'
import { StepRow } from './step-row.tsx'
import classes from './steps.module.css'
import { axisOf } from './waterfall.ts'

/** The steps and waits of a run as a waterfall; a row unfolds to its result, its error and its earlier tries. */
export function Steps({ feed, version, live }: { readonly feed: RunFeed; readonly version: number; readonly live: boolean }) {
  const ticking = useNow()
  const now = live ? Math.max(ticking, feed.spans.lastTs) : feed.spans.lastTs
  const [collapse, setCollapse] = useState(true)
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set())
  // oxlint-disable-next-line react-hooks/exhaustive-deps -- `version` stands for the content of the feed
  const spans = useMemo(() => feed.spans.list(), [feed, version])
  const axis = useMemo(() => axisOf(spans, now, collapse), [spans, now, collapse])
  const list = useRef<HTMLDivElement>(null)
  const virtual = useWindowVirtualizer({
    count: spans.length,
    estimateSize: () => 36,
    overscan: 20,
    scrollMargin: list.current?.offsetTop ?? 0,
    getItemKey: (index) => spans[index]?.id ?? index,
  })
  const toggle = (id: string) => {
    const next = new Set(open)
    if (!next.delete(id)) next.add(id)
    setOpen(next)
  }
  if (spans.length === 0)
    return <Empty title="No steps yet">A flow names pieces of its work with ctx.step(…); each appears here with its time and result.</Empty>
  return (
    <>
      <Group justify="space-between" mb="xs">
        <Text size="sm" c="dimmed">
          {duration(axis.totalS)} in all{axis.idleS > 0 && `, ${duration(axis.idleS)} of it idle`}
        </Text>
        <Switch size="xs" label="Press idle time together" checked={collapse} onChange={(event) => setCollapse(event.currentTarget.checked)} />
      </Group>
      <div className={classes['table']}>
        <div ref={list} className={classes['list']} style={{ height: virtual.getTotalSize() }} role="list" aria-label="Steps">
          {virtual.getVirtualItems().map((item) => {
            const span = spans[item.index]
            if (!span) return null
            return (
              <div
                key={span.id}
                role="listitem"
                data-index={item.index}
                ref={virtual.measureElement}
                className={classes['item']}
                style={{ transform: `translateY(${item.start - virtual.options.scrollMargin}px)` }}
              >
                <StepRow span={span} axis={axis} now={now} open={open.has(span.id)} toggle={toggle} />
              </div>
            )
          })}
        </div>
      </div>
    </>
  )
}
