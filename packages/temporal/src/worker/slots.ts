import type { ActivitySlotInfo, CustomSlotSupplier, SlotPermit, SlotReleaseContext, SlotReserveContext, WorkerTuner } from '@temporalio/worker'

/** Workflow tasks and bookkeeping at the same time: short work, which one core has enough of. An open poll holds a place too: with no more places than polls, the polls ran out in a burst. */
const WORKFLOW_TASKS = 120
const BOOKKEEPING = 100
/** Tasks of kinds that koco does not use; the SDK wants a number. */
const UNUSED = 1

/**
 * The places for tries that all queues of a worker share. A place counts from the moment in which a try takes it: an empty queue that is polled holds none. So a burst can go above the limit by the polls
 * that were open when the last place was taken.
 */
export class TrySlots implements CustomSlotSupplier<ActivitySlotInfo> {
  readonly type = 'custom'
  readonly #max: number
  readonly #waiting = new Set<() => void>()
  #used = 0

  constructor(max: number) {
    this.#max = max
  }

  /** Tries at work now. */
  get used(): number {
    return this.#used
  }

  async reserveSlot(_context: SlotReserveContext, abort: AbortSignal): Promise<SlotPermit> {
    while (this.#used >= this.#max) await this.#room(abort)
    return {}
  }

  tryReserveSlot(): SlotPermit | null {
    return this.#used < this.#max ? {} : null
  }

  markSlotUsed(): void {
    this.#used += 1
  }

  releaseSlot(context: SlotReleaseContext<ActivitySlotInfo>): void {
    if (context.slotInfo === undefined) return
    this.#used -= 1
    for (const wake of this.#waiting) wake()
  }

  #room(abort: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (): void => {
        this.#waiting.delete(wake)
        abort.removeEventListener('abort', stop)
      }
      const wake = (): void => {
        end()
        resolve()
      }
      const stop = (): void => {
        end()
        reject(abort.reason as Error)
      }
      this.#waiting.add(wake)
      abort.addEventListener('abort', stop)
    })
  }
}

/** How a queue of tries takes its places. */
export function tryTuner(slots: TrySlots): WorkerTuner {
  return { ...fixed(UNUSED, UNUSED), activityTaskSlotSupplier: slots }
}

/** How the queue of workflows takes its places. */
export function workflowTuner(): WorkerTuner {
  return fixed(WORKFLOW_TASKS, BOOKKEEPING)
}

function fixed(workflowTasks: number, activities: number): WorkerTuner {
  const places = (numSlots: number) => ({ type: 'fixed-size', numSlots }) as const
  return {
    workflowTaskSlotSupplier: places(workflowTasks),
    activityTaskSlotSupplier: places(activities),
    localActivityTaskSlotSupplier: places(UNUSED),
    nexusTaskSlotSupplier: places(UNUSED),
  }
}
