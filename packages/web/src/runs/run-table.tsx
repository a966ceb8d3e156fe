import { Center, Loader } from '@mantine/core'
import { useHotkeys, useMediaQuery } from '@mantine/hooks'
import { useWindowVirtualizer } from '@tanstack/react-virtual'
import { useEffect, useRef, type RefObject } from 'react'
import type { RunRow } from '../api/shapes.ts'
import { RunTableRow } from './run-table-row.tsx'
import classes from './runs-page.module.css'

type Props = { readonly rows: readonly RunRow[]; readonly more: boolean; readonly loading: boolean; readonly loadMore: () => void }

/** The rows of the list; only those in sight are in the page. The next page is read before the end is reached. J and K walk through the rows. */
export function RunTable({ rows, more, loading, loadMore }: Props) {
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
  useRowKeys(list, rows.length, (index) => virtual.scrollToIndex(index, { align: 'auto' }))
  return (
    <div className={classes['table']}>
      <div className={classes['head']} aria-hidden>
        <span>Status</span>
        <span>Run</span>
        <span className={classes['wide']}>User</span>
        <span>Started</span>
        <span className={classes['number']}>Runtime</span>
        <span className={`${classes['number']} ${classes['wide']}`}>Events</span>
      </div>
      <div ref={list} className={classes['list']} style={{ height: virtual.getTotalSize() }} role="list" aria-label="Runs">
        {items.map((item) => {
          const run = rows[item.index]
          return run && <RunTableRow key={run.fid} run={run} index={item.index} top={item.start - virtual.options.scrollMargin} />
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

/** J, K and the arrows move the focus from row to row; Enter opens, as on any link. */
function useRowKeys(list: RefObject<HTMLDivElement | null>, count: number, reveal: (index: number) => void): void {
  const move = (by: number) => {
    const focused = list.current?.contains(document.activeElement) ? document.activeElement?.closest<HTMLElement>('[data-index]')?.dataset['index'] : undefined
    const next = focused === undefined ? 0 : Number(focused) + by
    if (next < 0 || next >= count) return
    reveal(next)
    // The row may have to be drawn first.
    requestAnimationFrame(() => list.current?.querySelector<HTMLElement>(`[data-index="${next}"]`)?.focus({ preventScroll: true }))
  }
  useHotkeys([
    ['j', () => move(1)],
    ['k', () => move(-1)],
    ['ArrowDown', () => move(1)],
    ['ArrowUp', () => move(-1)],
  ])
}
