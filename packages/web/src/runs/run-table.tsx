import { Center, Loader } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import { useWindowVirtualizer } from '@tanstack/react-virtual'
import { useEffect, useMemo, useRef, type CSSProperties } from 'react'
import type { RunRow } from '../api/shapes.ts'
import { useRowKeys } from '../app/row-keys.ts'
import { COLUMNS, type Column } from './columns.tsx'
import { cellClass, RunTableRow } from './run-table-row.tsx'
import classes from './runs-page.module.css'

type Props = {
  readonly rows: readonly RunRow[]
  /** The keys of the columns that a person wants to see. */
  readonly columns: readonly string[]
  /** The chosen runs, or null while nothing is being chosen. */
  readonly chosen: ReadonlySet<string> | null
  readonly choose: (fid: string) => void
  readonly more: boolean
  readonly loading: boolean
  readonly loadMore: () => void
}

/** The rows of the list; only those in sight are in the page. The next page is read before the end is reached. J and K walk through the rows. */
export function RunTable({ rows, columns: keys, chosen, choose, more, loading, loadMore }: Props) {
  const columns = useMemo(() => COLUMNS.filter((column) => keys.includes(column.key)), [keys])
  const list = useRef<HTMLDivElement>(null)
  const phone = useMediaQuery('(max-width: 48em)', false, { getInitialValueInEffect: false })
  const height = phone ? 72 : 54
  const virtual = useWindowVirtualizer({
    count: rows.length,
    estimateSize: () => height,
    overscan: 12,
    scrollMargin: list.current?.offsetTop ?? 0,
    getItemKey: (index) => rows[index]?.fid ?? index,
  })
  useEffect(() => virtual.measure(), [height, virtual])
  const items = virtual.getVirtualItems()
  const lastShown = items.at(-1)?.index ?? 0
  useEffect(() => {
    if (more && !loading && lastShown > rows.length - 30) loadMore()
  }, [more, loading, lastShown, rows.length, loadMore])
  useRowKeys({ list, count: rows.length, reveal: (index) => virtual.scrollToIndex(index, { align: 'auto' }) })
  return (
    <div className={classes['table']} style={widthsOf(columns)} data-choosing={chosen !== null || undefined}>
      <div className={classes['head']} aria-hidden>
        <span>Status</span>
        <span>Run</span>
        {columns.map((column) => (
          <span key={column.key} className={cellClass(column)}>
            {column.label}
          </span>
        ))}
      </div>
      <div ref={list} className={classes['list']} style={{ height: virtual.getTotalSize() }} role="list" aria-label="Runs">
        {items.map((item) => {
          const run = rows[item.index]
          return (
            run && (
              <RunTableRow
                key={run.fid}
                run={run}
                index={item.index}
                top={item.start - virtual.options.scrollMargin}
                columns={columns}
                chosen={chosen === null ? null : chosen.has(run.fid)}
                choose={choose}
              />
            )
          )
        })}
      </div>
      {loading && (
        <Center py="sm">
          <Loader size="xs" type="dots" color="gray" />
        </Center>
      )}
    </div>
  )
}

/** The widths of the columns, all of them and those that are left on a narrow window. */
function widthsOf(columns: readonly Column[]): CSSProperties {
  const widths = (some: readonly Column[]) => some.map((column) => ` ${column.width}px`).join('')
  return { '--columns': widths(columns), '--columns-narrow': widths(columns.filter((column) => !column.wide)) } as CSSProperties
}
