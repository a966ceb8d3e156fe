import { setTimeout as delay } from 'node:timers/promises'

const POLL_MS = 200
const LINES_MAX = 200_000

/** What a person could find of a fault: lines that processes printed, and what `/readyz` answered. */
export class Evidence {
  #lines: string[] = []
  #watching = true
  #answer = ''

  /** Takes lines in. */
  readonly hear = (text: string): void => {
    for (const line of text.split('\n')) if (line !== '' && this.#lines.length < LINES_MAX) this.#lines.push(line)
  }

  /** Asks an address' readiness again and again until `close`; each change is a line. */
  watch(address: string): void {
    const ask = async (): Promise<string> => {
      try {
        const response = await fetch(`${address}/readyz`, { signal: AbortSignal.timeout(10_000) })
        return `readyz ${response.status} ${await response.text()}`
      } catch {
        return 'readyz: no answer'
      }
    }
    const round = async (): Promise<void> => {
      while (this.#watching) {
        const answer = await ask()
        if (answer !== this.#answer) this.hear(answer)
        this.#answer = answer
        await delay(POLL_MS)
      }
    }
    void round()
  }

  /** The last thing that readiness said. */
  get readiness(): string {
    return this.#answer
  }

  /** Whether a line says it. */
  shows(trace: RegExp): boolean {
    return this.#lines.some((line) => trace.test(line))
  }

  /** The last lines, for a report of what went wrong. */
  tail(count: number): string {
    return this.#lines.slice(-count).join('\n')
  }

  /** Forgets the lines so far. */
  clear(): void {
    this.#lines = []
  }

  /** Asks no more. */
  close(): void {
    this.#watching = false
  }
}
