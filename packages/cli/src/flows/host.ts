import { captureConsole, guardExit } from '@koco/flow'
import type { Logger } from 'pino'

/**
 * Prepares this process for the code of flow authors: what a flow prints belongs to its run, one that calls `process.exit` fails alone, and a promise that it forgot about ends neither the process nor the other runs in it. An
 * exception outside of any promise still ends the process: nobody knows what it left half done, and every run goes on at the next start. The result undoes it.
 */
export function hostFlows(log: Logger): () => void {
  const giveBackConsole = captureConsole()
  const giveBackExit = guardExit()
  const onRejected = (reason: unknown): void => {
    log.error({ err: reason }, 'a promise was rejected and nobody waited for it: await it in the flow that made it')
  }
  process.on('unhandledRejection', onRejected)
  return () => {
    process.off('unhandledRejection', onRejected)
    giveBackExit()
    giveBackConsole()
  }
}
