import type { LivenessBoard, LivingWorker, LostWorker } from '../port.ts'

/** The board within one process. */
export class MemoryLiveness implements LivenessBoard {
  readonly lifeMs: number
  readonly #clock: () => number
  readonly #beats = new Map<string, number>()
  readonly #tasks = new Map<string, string>()

  constructor(lifeMs: number, clock: () => number) {
    this.lifeMs = lifeMs
    this.#clock = clock
  }

  async beat(worker: string): Promise<void> {
    this.#beats.set(worker, this.#clock())
  }

  async take(worker: string, task: string): Promise<void> {
    this.#tasks.set(task, worker)
  }

  async drop(worker: string, task: string): Promise<void> {
    if (this.#tasks.get(task) === worker) this.#tasks.delete(task)
  }

  async lost(claimMs: number): Promise<readonly LostWorker[]> {
    const now = this.#clock()
    const dead = new Set([...this.#beats].filter(([, at]) => now - at > this.lifeMs).map(([worker]) => worker))
    for (const worker of dead) this.#beats.set(worker, now - this.lifeMs + claimMs)
    return [...dead].map((worker) => ({ worker, tasks: this.#tasksOf(worker) }))
  }

  async forget(worker: string): Promise<void> {
    this.#beats.delete(worker)
    for (const task of this.#tasksOf(worker)) this.#tasks.delete(task)
  }

  async workers(): Promise<readonly LivingWorker[]> {
    const now = this.#clock()
    return [...this.#beats].map(([worker, at]) => ({ worker, tasks: this.#tasksOf(worker).length, silentMs: Math.max(0, now - at) }))
  }

  #tasksOf(worker: string): string[] {
    return [...this.#tasks].filter(([, at]) => at === worker).map(([task]) => task)
  }
}
