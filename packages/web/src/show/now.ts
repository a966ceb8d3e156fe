import { useSyncExternalStore } from 'react'

const listeners = new Set<() => void>()
let timer: ReturnType<typeof setInterval> | undefined
let now = Math.floor(Date.now() / 1000)

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  timer ??= setInterval(tick, 1000)
  return () => {
    listeners.delete(listener)
    if (listeners.size > 0) return
    clearInterval(timer)
    timer = undefined
  }
}

function tick(): void {
  now = Math.floor(Date.now() / 1000)
  for (const listener of listeners) listener()
}

/** The current unix second, ticking; one timer for the whole page, none while nobody looks. `every` makes a reader render only when that many seconds have passed. */
export function useNow(every = 1): number {
  return useSyncExternalStore(subscribe, () => now - (now % every))
}
