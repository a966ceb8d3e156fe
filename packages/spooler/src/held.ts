/** From this many waiting streams on, a second batch starts at once instead of gathering. */
const COMPANY = 16
/** So few streams are not divided among lanes. */
const UNDIVIDED = 4
/** The streams whose leases are held here. Each waits for a lane, in the order in which they came, or is with one; never both, so no stream is written out of order. */
export class HeldStreams {
  /** fid → known to hold a backlog. Map keeps the order. */
  readonly #waiting = new Map<string, boolean>()
  readonly #taken = new Set<string>()
  /** fid → since when it is held, in ms. */
  readonly #since = new Map<string, number>()
  #backlogs = 0

  get size(): number {
    return this.#waiting.size + this.#taken.size
  }

  get waiting(): number {
    return this.#waiting.size
  }

  /** Enough work to start a batch beside another one. */
  get worthALane(): boolean {
    return this.#backlogs > 0 || this.#waiting.size >= COMPANY
  }

  /** Streams just acquired. One that a lane still has (its lease ran out meanwhile) stays there: the lane's release looks at it again. */
  add(fids: Iterable<string>, now: number): void {
    for (const fid of fids) {
      this.#since.set(fid, now)
      if (!this.#taken.has(fid)) this.#wait(fid, false)
    }
  }

  /** Hands the longest waiting streams to a lane, at most `max`: all of a few, else a fair part for each of `lanes` free lanes. */
  take(lanes: number, max: number): string[] {
    const part = this.#waiting.size <= UNDIVIDED ? this.#waiting.size : Math.ceil(this.#waiting.size / lanes)
    const fids: string[] = []
    for (const fid of this.#waiting.keys()) {
      if (fids.push(fid) >= Math.min(part, max)) break
    }
    for (const fid of fids) {
      this.#unwait(fid)
      this.#taken.add(fid)
    }
    return fids
  }

  /**
   * Takes out what others should have: the last of the waiting streams beyond `max`; and, with `max` of them held, those with a backlog that were held since before `before`, so that streams which
   * never run dry give way to the ones that nobody holds.
   */
  share(max: number, before: number): string[] {
    const over = [...this.#waiting.keys()].slice(Math.max(0, max - this.#taken.size))
    const fids = new Set(over)
    if (this.size >= max) for (const [fid, backlog] of this.#waiting) if (backlog && (this.#since.get(fid) ?? 0) < before) fids.add(fid)
    this.forget(fids)
    return [...fids]
  }

  /** A lane has read a part of these streams; they wait for the next one. */
  giveBack(fids: Iterable<string>): void {
    for (const fid of fids) {
      this.#taken.delete(fid)
      this.#wait(fid, true)
    }
  }

  /** Streams that are no longer held, wherever they were. */
  forget(fids: Iterable<string>): void {
    for (const fid of fids) {
      this.#unwait(fid)
      this.#taken.delete(fid)
      this.#since.delete(fid)
    }
  }

  /** The streams that wait for a lane. */
  listWaiting(): string[] {
    return [...this.#waiting.keys()]
  }

  /** All of them. */
  list(): string[] {
    return [...this.#waiting.keys(), ...this.#taken]
  }

  #unwait(fid: string): void {
    if (this.#waiting.get(fid)) this.#backlogs--
    this.#waiting.delete(fid)
  }

  #wait(fid: string, backlog: boolean): void {
    if (this.#waiting.has(fid)) return
    this.#waiting.set(fid, backlog)
    if (backlog) this.#backlogs++
  }
}
