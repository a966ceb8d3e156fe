import { useSyncExternalStore } from 'react'

/** How moments are written: as a distance from now, or as date and time of the person's own zone or of UTC. */
export type TimeStyle = 'relative' | 'local' | 'utc'

const KEY = 'koco-times'
const STYLES: readonly TimeStyle[] = ['relative', 'local', 'utc']

const listeners = new Set<() => void>()
let style: TimeStyle | undefined

function read(): TimeStyle {
  try {
    return STYLES.find((one) => one === localStorage.getItem(KEY)) ?? 'relative'
  } catch {
    // Storage may be forbidden; then nothing is remembered.
    return 'relative'
  }
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/** The style that this browser's person has chosen. */
export function useTimeStyle(): TimeStyle {
  return useSyncExternalStore(subscribe, () => (style ??= read()))
}

/** Chooses a style, for every moment on the page and for later visits. */
export function setTimeStyle(next: TimeStyle): void {
  style = next
  try {
    localStorage.setItem(KEY, next)
  } catch {
    // As above.
  }
  for (const listener of listeners) listener()
}
