import { Button, Group, Switch, Text } from '@mantine/core'
import { useWindowVirtualizer } from '@tanstack/react-virtual'
import { useMemo, useRef, useState } from 'react'
import { useRowKeys } from '../app/row-keys.ts'
import { Empty } from '../app/states.tsx'
import { count, duration } from '../show/format.ts'
import { useNow } from '../show/now.ts'
import { Brush, ZoomButtons } from './brush.tsx'
import type { RunFeed } from './feed.ts'
import { useFolding, type Fold } from './folding.ts'
import { isWhole, WHOLE, type Lens } from './lens.ts'
import { foldable, rowsOf, type Row } from './nesting.ts'
import { StepRow } from './step-row.tsx'
import classes from './steps.module.css'
import { axisOf, isSeen, marksOf, type Axis } from './waterfall.ts'

type Props = {
  readonly feed: RunFeed
  readonly version: number
  readonly live: boolean
  /** Leads to an event's place in the timeline. */
  readonly show: (position: string) => void
}

/** The steps, calls and waits of a run as a waterfall, one in the other; a stretch of it can be looked at closely, and a row unfolds to its result, its error and its earlier tries. */
export function Steps({ feed, version, live, show }: Props) {
  const ticking = useNow()
  const now = live ? Math.max(ticking, feed.spans.lastTs) : feed.spans.lastTs
  const [collapse, setCollapse] = useState(true)
  const [lens, setLens] = useState<Lens>(WHOLE)
  const { closed, tries, open, fold, setClosed } = useFolding()
  // oxlint-disable-next-line react-hooks/exhaustive-deps -- `version` stands for the content of the feed
  const spans = useMemo(() => feed.spans.list(), [feed, version])
  const axis = useMemo(() => axisOf(spans, now, collapse), [spans, now, collapse])
  const rows = useMemo(() => rowsOf(spans, { closed, tries }), [spans, closed, tries])
  const shown = useMemo(() => (isWhole(lens) ? rows : rows.filter((row) => isSeen(row, axis, now, lens))), [rows, axis, now, lens])
  if (spans.length === 0)
    return <Empty title="No steps yet">A flow names pieces of its work with ctx.step(…); each appears here with its time and result.</Empty>
  const nested = rows.some((row) => row.folds > 0)
  return (
    <>
      <Group justify="space-between" mb="xs" gap="sm">
        <Text size="sm" c="dimmed" role="status">
          {duration(axis.totalS)} in all{axis.idleS > 0 && `, ${duration(axis.idleS)} of it idle`}
          {!isWhole(lens) && ` · ${count(shown.length)} of ${count(rows.length)} rows in this stretch`}
        </Text>
        <Group gap="sm">
          {nested && (
            <Button size="compact-xs" variant="subtle" color="gray" onClick={() => setClosed(closed.size > 0 ? [] : foldable(spans))}>
              {closed.size > 0 ? 'Unfold all' : 'Fold all'}
            </Button>
          )}
          <Switch size="xs" label="Press idle time together" checked={collapse} onChange={(event) => setCollapse(event.currentTarget.checked)} />
        </Group>
      </Group>
      <div className={classes['table']}>
        <div className={classes['overview']}>
          <ZoomButtons lens={lens} onChange={setLens} />
          <Brush spans={spans} axis={axis} now={now} lens={lens} onChange={setLens} />
        </div>
        <Ruler axis={axis} lens={lens} />
        <Rows rows={shown} axis={axis} now={now} lens={lens} open={open} fold={fold} show={show} />
      </div>
    </>
  )
}

type RowsProps = {
  readonly rows: readonly Row[]
  readonly axis: Axis
  readonly now: number
  readonly lens: Lens
  readonly open: ReadonlySet<string>
  readonly fold: Fold
  readonly show: (position: string) => void
}

function Rows({ rows, axis, now, lens, open, fold, show }: RowsProps) {
  const list = useRef<HTMLDivElement>(null)
  const virtual = useWindowVirtualizer({
    count: rows.length,
    estimateSize: () => 32,
    overscan: 20,
    scrollMargin: list.current?.offsetTop ?? 0,
    getItemKey: (index) => rows[index]?.key ?? index,
  })
  useRowKeys({ list, count: rows.length, reveal: (index) => virtual.scrollToIndex(index, { align: 'auto' }) })
  return (
    <div ref={list} className={classes['list']} style={{ height: virtual.getTotalSize() }} role="list" aria-label="Steps">
      {virtual.getVirtualItems().map((item) => {
        const row = rows[item.index]
        if (!row) return null
        return (
          <div
            key={row.key}
            role="listitem"
            data-index={item.index}
            ref={virtual.measureElement}
            className={classes['item']}
            style={{ transform: `translateY(${item.start - virtual.options.scrollMargin}px)` }}
          >
            <StepRow row={row} axis={axis} now={now} lens={lens} open={open.has(row.key)} fold={fold} show={show} />
          </div>
        )
      })}
    </div>
  )
}

/** Round times after the start, and how long the idle stretches were that are pressed together. */
function Ruler({ axis, lens }: { readonly axis: Axis; readonly lens: Lens }) {
  return (
    <div className={classes['ruler']} aria-hidden>
      <span className={classes['scale']}>
        {marksOf(axis, lens).map(({ at, kind, seconds, width, nth }) => (
          <span
            key={`${kind} ${seconds} ${at}`}
            className={classes['mark']}
            data-kind={kind}
            data-late={at > 0.86 ? 'always' : at > 0.7 ? 'narrow' : undefined}
            // How often it may be left out where there is little room.
            data-second={nth % 2 === 1 || undefined}
            data-third={nth % 3 !== 0 || undefined}
            title={kind === 'idle' ? `${duration(seconds)} idle` : undefined}
            style={{ left: `${at * 100}%`, ...(kind === 'idle' && { width: `max(4px, ${width * 100}%)` }) }}
          >
            {kind === 'time' && (seconds === 0 ? '0' : duration(seconds))}
          </span>
        ))}
      </span>
    </div>
  )
}
