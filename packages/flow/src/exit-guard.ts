import { RefusedError } from '@koco/core'
import { currentFrame } from './executor/frame.ts'

/**
 * Makes `process.exit` called by the code of a run an error of that run: the process has other runs, and would be ended again by each next try. Outside of runs it exits as before. Call once a
 * process; the result puts it back.
 */
export function guardExit(): () => void {
  const exit = process.exit.bind(process)
  process.exit = (code) => {
    if (currentFrame() === undefined) return exit(code)
    throw new RefusedError(
      `The flow called process.exit(${code ?? ''}), which would end its worker and all other runs in it: return to end a run, throw to fail it.`,
      {
        code: 'flow_exit',
      },
    )
  }
  return () => {
    process.exit = exit
  }
}
