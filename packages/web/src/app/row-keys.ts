import { useHotkeys } from '@mantine/hooks'
import type { RefObject } from 'react'

type Rows = {
  readonly list: RefObject<HTMLElement | null>
  readonly count: number
  /** Brings a row into the page and into sight. */
  readonly reveal: (index: number) => void
  /** Where to begin while no row has the focus. */
  readonly first?: () => number
}

/** J, K and the arrows move the focus from row to row, H and L fold and unfold the one that has it; each row is marked by `data-index`, and it or its first button has the focus. Enter opens, as on any link or button. */
export function useRowKeys({ list, count, reveal, first = () => 0 }: Rows): void {
  const move = (by: number) => {
    const focused = list.current?.contains(document.activeElement) ? document.activeElement?.closest<HTMLElement>('[data-index]')?.dataset['index'] : undefined
    const next = focused === undefined ? first() : Number(focused) + by
    if (next < 0 || next >= count) return
    reveal(next)
    const target = () => {
      const row = list.current?.querySelector<HTMLElement>(`[data-index="${next}"]`)
      return row?.tabIndex === 0 ? row : row?.querySelector<HTMLElement>('[data-row]')
    }
    const drawn = target()
    if (drawn) drawn.focus({ preventScroll: true })
    else requestAnimationFrame(() => target()?.focus({ preventScroll: true }))
  }
  const fold = (open: boolean) => {
    const row = list.current?.contains(document.activeElement) ? document.activeElement?.closest('[data-index]') : null
    row?.querySelector<HTMLElement>(`[aria-expanded="${!open}"]`)?.click()
  }
  useHotkeys([
    ['h', () => fold(false)],
    ['l', () => fold(true)],
    ['j', () => move(1)],
    ['k', () => move(-1)],
    ['ArrowDown', () => move(1)],
    ['ArrowUp', () => move(-1)],
  ])
}
