import { useCallback, useEffect, useLayoutEffect, useRef, useState, type KeyboardEvent, type RefObject } from 'react'

const NEAR_END_PX = 48
const BY_PERSON_MS = 1000
const SCROLL_KEYS: ReadonlySet<string> = new Set(['ArrowUp', 'ArrowDown', 'PageUp', 'PageDown', 'Home', 'End'])

/** Following the end of a scrolling list; `handlers` go onto the list. */
export type Follow = {
  readonly on: boolean
  /** The end is in sight. */
  readonly atEnd: boolean
  readonly start: () => void
  readonly stop: () => void
  readonly handlers: {
    readonly onWheel: () => void
    readonly onTouchMove: () => void
    readonly onPointerDown: () => void
    readonly onKeyDown: (event: KeyboardEvent) => void
    readonly onScroll: () => void
  }
}

/** Keeps a list at its end while `on`. Only a person stops it, by wheel, touch or keys away from the end; coming back to the end starts it again, as `start` does. */
export function useFollow(box: RefObject<HTMLDivElement | null>, initially: boolean): Follow {
  const [on, setOn] = useState(initially)
  const [atEnd, setAtEnd] = useState(true)
  const byPerson = useRef(0)
  // At every drawing: the content grew, or rows were measured.
  useLayoutEffect(() => {
    if (on) scrollToEnd(box.current)
  })
  // The list measures its rows after they are drawn: once more at the next frame.
  useEffect(() => {
    const frame = on ? requestAnimationFrame(() => scrollToEnd(box.current)) : 0
    return () => cancelAnimationFrame(frame)
  })
  const personScrolled = useCallback(() => {
    byPerson.current = performance.now()
  }, [])
  return {
    on,
    atEnd,
    start: () => setOn(true),
    stop: () => setOn(false),
    handlers: {
      onWheel: personScrolled,
      onTouchMove: personScrolled,
      onPointerDown: personScrolled,
      onKeyDown: (event) => SCROLL_KEYS.has(event.key) && personScrolled(),
      onScroll: () => {
        const near = isNearEnd(box.current)
        setAtEnd(near)
        if (performance.now() - byPerson.current < BY_PERSON_MS) setOn(near)
      },
    },
  }
}

function scrollToEnd(element: HTMLDivElement | null): void {
  if (element) element.scrollTop = element.scrollHeight
}

function isNearEnd(element: HTMLDivElement | null): boolean {
  return element === null || element.scrollHeight - element.scrollTop - element.clientHeight < NEAR_END_PX
}
