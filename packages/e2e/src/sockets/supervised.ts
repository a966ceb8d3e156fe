import { setTimeout as delay } from 'node:timers/promises'
import type { KocoProcess } from '../processes/koco-process.ts'

const AGAIN_MS = 200

/** A process that is started again whenever it ends, as systemd or Docker does: one that finds no store at its start, too. */
export class Supervised {
  readonly #spawn: () => KocoProcess
  #process: KocoProcess
  #dismissed = false

  constructor(spawn: () => KocoProcess) {
    this.#spawn = spawn
    this.#process = spawn()
    void this.#watch()
  }

  /** Sends a signal; resolves when a process that it ends has ended. */
  kill(signal: NodeJS.Signals): Promise<number | null> {
    return this.#process.kill(signal)
  }

  /** Starts it no more. */
  dismiss(): void {
    this.#dismissed = true
  }

  async #watch(): Promise<void> {
    for (;;) {
      await this.#process.exited
      await delay(AGAIN_MS)
      if (this.#dismissed) return
      this.#process = this.#spawn()
    }
  }
}
