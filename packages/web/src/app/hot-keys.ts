import { useHotkeys } from '@mantine/hooks'
import type { RefObject } from 'react'

/** `/` jumps into the search field of a page. */
export function useSlashFocus(field: RefObject<HTMLInputElement | null>): void {
  useHotkeys([['/', () => field.current?.focus()]])
}
