import type { AttemptReason, RunStatus } from '@koco/core'
import type { ControlRequest } from '@koco/storage'
import type { RunEnd } from '../executor/finalise.ts'
import type { TryRun } from '../executor/try.ts'

/** Why the next try of a run is to be made. */
export type NextTry = Exclude<AttemptReason, 'finalise'>

/**
 * A run that this process looks after.
 *
 *   creating ──▶ queued ──▶ executing ──▶ waiting | paused ──▶ queued …
 *                  ▲             └──▶ resting (stream or store away) ──▶ queued
 */
export class Entry {
  readonly fid: string
  readonly flow: string
  state: 'creating' | 'queued' | 'executing' | 'waiting' | 'paused' | 'resting' = 'creating'
  next: NextTry
  /** The run of a first try, so that it need not be read. */
  fresh: TryRun | undefined
  /** What is wanted, as far as it has been asked for. */
  control: ControlRequest | undefined
  /** Something was asked since the executing try last looked. */
  changed = false
  /** Tries on record. */
  attempt = 0
  /** Failures of stream or store in a row. */
  failures = 0
  /** Tries that broke for another reason than that something was away. */
  broken = 0
  /** How the run is to be ended, when no further try is of use. */
  end: RunEnd | undefined
  /** Resolves when the run is looked after no more. */
  readonly gone = Promise.withResolvers<void>()
  /** No epoch below this is of use. */
  epochFloor = 0
  lost: { readonly from: string; readonly to: string } | undefined
  readonly listeners = new Set<() => void>()
  onBegun: { readonly resolve: () => void; readonly reject: (error: unknown) => void } | undefined

  constructor(fid: string, flow: string, next: NextTry) {
    this.fid = fid
    this.flow = flow
    this.next = next
  }

  /** The next try is on record. */
  begun(): void {
    this.failures = 0
    this.lost = undefined
    this.onBegun?.resolve()
    this.onBegun = undefined
  }

  /** The next try did not come to be on record. */
  notBegun(error: unknown): void {
    this.onBegun?.reject(error)
    this.onBegun = undefined
  }

  /** Something was asked of the run. */
  notify(): void {
    this.changed = true
    for (const listener of this.listeners) listener()
  }
}

/** What unfinished runs of a process that is gone are continued as. */
export function reasonOf(status: RunStatus): NextTry {
  if (status === 'paused') return 'resume'
  return status === 'awaiting' ? 'wake' : 'recover'
}
