import type { EventData } from '@koco/core'

/** Decides at each step border whether a run may go on. */
export interface StepGuard {
  /** Counts a model call that was made now. */
  count(call: EventData['model']): void
  /** At a step border: resolves when the run may go on; undefined when nothing stands in its way, the common case. */
  pass(): Promise<void> | undefined
}

/** Lets everything pass. */
export const noGuard: StepGuard = { count: () => undefined, pass: () => undefined }
