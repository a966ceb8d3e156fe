import { AsyncLocalStorage } from 'node:async_hooks'
import type { Names } from './names.ts'

/** Where in a flow the code that runs now stands. `owner` tells the runs of a process apart. */
export type Frame = { readonly owner: FrameOwner; readonly names: Names; readonly step: string | undefined }

/** What console capture needs of a run. */
export interface FrameOwner {
  /** Takes a line that the flow printed; false when the run takes no more. */
  print(kind: 'stdout' | 'stderr', text: string): boolean
}

const frames = new AsyncLocalStorage<Frame>()

/** The frame of the code that runs now, undefined outside of runs. */
export function currentFrame(): Frame | undefined {
  return frames.getStore()
}

/** Runs `work` and all that it starts in a frame. */
export function inFrame<T>(frame: Frame, work: () => T): T {
  return frames.run(frame, work)
}
