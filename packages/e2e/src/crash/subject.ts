import { setTimeout as delay } from 'node:timers/promises'
import { must } from '@koco/core'
import type { KocoProcess } from '../processes/koco-process.ts'

const START_MS = 60_000
const RESTART_MS = 300

/** A part of an installation that dies and comes again under the same name. */
export class Subject {
  readonly name: string
  readonly #start: () => Promise<KocoProcess>
  #process: KocoProcess | undefined

  constructor(name: string, start: () => Promise<KocoProcess>) {
    this.name = name
    this.#start = start
  }

  /** The living process. */
  get process(): KocoProcess {
    return must(this.#process, `a process of ${this.name}`)
  }

  /** Starts it, as often as a supervisor would when what it needs is away; resolves when it is at work. */
  async start(): Promise<void> {
    for (const deadline = Date.now() + START_MS; ;) {
      try {
        this.#process = await this.#start()
        return
      } catch (error) {
        if (Date.now() > deadline) throw error
        await delay(RESTART_MS)
      }
    }
  }

  /** kill -9. */
  async kill(): Promise<void> {
    await this.process.kill('SIGKILL')
  }

  /** SIGSTOP: it does nothing and knows nothing of it; its connections stand. */
  freeze(): void {
    void this.process.kill('SIGSTOP')
  }

  /** SIGCONT: it goes on where it was, a zombie if others have taken over. */
  thaw(): void {
    void this.process.kill('SIGCONT')
  }

  /** Another signal that does not end it. */
  signal(signal: NodeJS.Signals): void {
    process.kill(this.process.pid, signal)
  }
}
