import type { Clock } from '../clock.ts'

/** A wait of a flow: until a time (ms since 1970) or for somebody (null). */
export type Wait = {
  readonly kind: 'lock' | 'sleep' | 'retry' | 'child'
  readonly id: string
  readonly until: number | null
  /** The runs that must all end for a wait of kind `child`. */
  readonly children?: readonly string[]
}

/**
 * Knows what a try is at: work (steps, writes), waits, and calls held at a step border. Outside code (between steps) is not seen; so the
 * try counts as idle only when no work was seen for a while and something waits or is held.
 */
export class Activity {
  readonly #clock: Clock
  readonly #idleMs: number
  readonly #onIdle: () => void
  readonly #waits = new Set<Wait>()
  #work = 0
  #held = 0
  #timer: NodeJS.Timeout | undefined
  #restSince: number | undefined
  #restMs = 0
  #changes = 0

  /** Calls `onIdle` each time nothing but waits or held calls has been left for `idleMs`. */
  constructor(clock: Clock, idleMs: number, onIdle: () => void) {
    this.#clock = clock
    this.#idleMs = idleMs
    this.#onIdle = onIdle
  }

  get waits(): readonly Wait[] {
    return [...this.#waits]
  }

  get working(): boolean {
    return this.#work > 0
  }

  get held(): boolean {
    return this.#held > 0
  }

  /** Milliseconds of this try in which nothing but waits was left. */
  restedMs(): number {
    return this.#restMs + (this.#restSince === undefined ? 0 : this.#clock.now() - this.#restSince)
  }

  /** The earliest time at which a wait ends by itself, null when none does. */
  nextWake(): number | null {
    let next: number | null = null
    for (const { until } of this.#waits) if (until !== null && (next === null || until < next)) next = until
    return next
  }

  /** Work begins; the result says that it is over. */
  begin(): () => void {
    this.#work += 1
    this.touch()
    return once(() => {
      this.#work -= 1
      this.touch()
    })
  }

  /** A wait begins; the result says that it is over. */
  wait(wait: Wait): () => void {
    this.#waits.add(wait)
    this.touch()
    return () => {
      if (this.#waits.delete(wait)) this.touch()
    }
  }

  /** A call is held at a border; the result says that it goes on. */
  hold(): () => void {
    this.#held += 1
    this.touch()
    return once(() => {
      this.#held -= 1
      this.touch()
    })
  }

  /** Something happened: the idle time begins anew. */
  touch(): void {
    this.#changes += 1
    const resting = this.#work === 0 && (this.#waits.size > 0 || this.#held > 0)
    if (!resting) this.#rouse()
    else {
      this.#restSince ??= this.#clock.now()
      this.#timer ??= this.#arm()
    }
  }

  /** Ends the watch. */
  close(): void {
    this.#rouse()
    this.#idleDone()
  }

  // One timer a rest, set again only when it rang while things had changed: touches are frequent, timers are not.
  #arm(): NodeJS.Timeout {
    const seen = this.#changes
    return setTimeout(() => {
      this.#timer = undefined
      if (this.#restSince === undefined) return
      this.#timer = this.#arm()
      if (seen === this.#changes) this.#onIdle()
    }, this.#idleMs)
  }

  #rouse(): void {
    if (this.#restSince !== undefined) this.#restMs += this.#clock.now() - this.#restSince
    this.#restSince = undefined
    this.#idleDone()
  }

  #idleDone(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }
}

function once(action: () => void): () => void {
  let done = false
  return () => {
    if (!done) action()
    done = true
  }
}
