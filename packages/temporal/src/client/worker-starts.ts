import { isJsonObject } from '@koco/core'
import type { Clock } from '@koco/flow'
import type { Handover } from '@koco/transport'
import type { WorkflowStart } from '../names.ts'
import type { ServedFlows } from './served-flows.ts'

/** A worker that has not said so much longer than its heartbeat, in s, is not asked. */
const SEEN_S = 45
const ASK_MS = 1500
/** How long a worker that did not do it is left alone. */
const AVOID_MS = 10_000

/**
 * Asks workers to start the workflows of runs. The server gives a worker that starts one its first task with the answer, which then need not wait on a queue for a poll: half of the time of a short run.
 * Whoever cannot be asked, or does not do it in time, is replaced by the launcher's own call; the workflow's id lets no run start twice.
 */
export class WorkerStarts {
  readonly #handover: Handover
  readonly #flows: ServedFlows
  readonly #clock: Clock
  readonly #avoidedUntil = new Map<string, number>()
  #turn = 0

  constructor(handover: Handover, flows: ServedFlows, clock: Clock) {
    this.#handover = handover
    this.#flows = flows
    this.#clock = clock
  }

  /** True when a worker started it, false when it has been started before; undefined when no worker did. */
  async start(start: WorkflowStart): Promise<boolean | undefined> {
    const worker = await this.#pick(start)
    if (worker === undefined) return undefined
    const answer = (await this.#handover.ask(worker, start, ASK_MS)) ?? null
    if (isJsonObject(answer) && typeof answer['started'] === 'boolean') return answer['started']
    this.#avoidedUntil.set(worker, this.#clock.now() + AVOID_MS)
    return undefined
  }

  /** The next in turn of the workers that serve this version of the flow. */
  async #pick({ run }: WorkflowStart): Promise<string | undefined> {
    const now = this.#clock.now()
    for (const [worker, until] of this.#avoidedUntil) if (until <= now) this.#avoidedUntil.delete(worker)
    const workers = (await this.#flows.get(run.flow))?.workers ?? []
    const able = workers.filter(({ id, version, seenAt }) => version === run.version && now / 1000 - seenAt < SEEN_S && !this.#avoidedUntil.has(id))
    this.#turn += 1
    return able[this.#turn % able.length]?.id
  }
}
