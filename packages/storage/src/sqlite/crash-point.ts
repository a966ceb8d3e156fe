import type { CrashAt } from './protocol.ts'

/** Called at named points between the steps of a write; does nothing but in crash tests. */
export type CrashPoint = (point: string) => void

/** Kills this process at the wanted point; without one, a function that does nothing. */
export function crashPoint(at: CrashAt | null): CrashPoint {
  if (!at) return () => undefined
  let times = 0
  return (point) => {
    if (point === at.point && ++times === at.nth) process.kill(process.pid, 'SIGKILL')
  }
}
