import { format } from 'node:util'
import { currentFrame } from './executor/frame.ts'

const KINDS = { log: 'stdout', info: 'stdout', debug: 'stdout', warn: 'stderr', error: 'stderr' } as const

/**
 * Makes what flows print with `console` events of their runs, each line of its own run, however many runs the process has. Outside of runs the
 * console prints as before. Call once a process; the result puts the console back.
 */
export function captureConsole(): () => void {
  const target: Pick<Console, keyof typeof KINDS> = console
  const before = { ...target }
  for (const [level, kind] of Object.entries(KINDS) as [keyof typeof KINDS, 'stdout' | 'stderr'][]) {
    const print = target[level].bind(target)
    target[level] = (...args: unknown[]) => {
      if (currentFrame()?.owner.print(kind, format(...args)) !== true) print(...args)
    }
  }
  return () => {
    for (const level of Object.keys(KINDS) as (keyof typeof KINDS)[]) target[level] = before[level]
  }
}
