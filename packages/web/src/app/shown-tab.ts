import { useEffect, useRef, type RefObject } from 'react'

/** For a row of tabs that scrolls sideways: brings the chosen one into view. */
export function useShownTab(tab: string): RefObject<HTMLDivElement | null> {
  const list = useRef<HTMLDivElement>(null)
  useEffect(() => {
    const chosen = list.current?.querySelector(`[role=tab][id$="-tab-${CSS.escape(tab)}"]`)
    if (!list.current || !chosen) return
    const [box, one] = [list.current.getBoundingClientRect(), chosen.getBoundingClientRect()]
    // Not scrollIntoView, which would move the page as well.
    if (one.left < box.left || one.right > box.right) list.current.scrollLeft += one.left - box.left - (box.width - one.width) / 2
  }, [tab])
  return list
}
