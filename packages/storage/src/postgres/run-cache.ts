import type { LockState, Position, RunState } from '@koco/core'
import { comparePositions } from '@koco/core'

/** What a writer knows of a run between two writes. */
export type KnownRun = { readonly state: RunState; readonly locks: ReadonlyMap<string, LockState>; readonly rewritten: number }

/**
 * The runs that were written last, so that a hot run is not loaded for each batch. An entry counts only when the locked row stands at its position: folding is
 * the one thing that changes these columns, and it always moves the position; but for whoever writes a run anew, which the row tells.
 */
export class RunCache {
  readonly #runs = new Map<string, KnownRun>()
  readonly #runsMax: number

  constructor(runsMax: number) {
    this.#runsMax = runsMax
  }

  has(fid: string): boolean {
    return this.#runs.has(fid)
  }

  /** The run as it stands at this position, or undefined when it was not written here last. */
  at(fid: string, position: Position, rewritten: number): KnownRun | undefined {
    const known = this.#runs.get(fid)
    return known?.rewritten === rewritten && comparePositions(known.state.lastPosition, position) === 0 ? known : undefined
  }

  /** Remembers a run; forgets those that were written longest ago when there are too many. */
  set(fid: string, known: KnownRun): void {
    this.#runs.delete(fid)
    this.#runs.set(fid, known)
    if (this.#runs.size <= this.#runsMax) return
    const [oldest] = this.#runs.keys()
    if (oldest !== undefined) this.#runs.delete(oldest)
  }
}
