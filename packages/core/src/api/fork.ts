import type { Json } from '../json.ts'
import type { Run } from './run.ts'

/** What a fork takes over of a run up to the event at `at`, and what it does again. */
export type ForkPlan = {
  readonly from: string
  readonly at: string
  /** How many events the fork begins with. */
  readonly events: number
  /** Steps whose results are taken over. */
  readonly reused: readonly { readonly id: string; readonly name: string; readonly at: string; readonly edited: boolean }[]
  readonly again: readonly {
    readonly id: string
    readonly name: string
    readonly reason: 'unfinished' | 'later' | 'asked'
    /** What the step hands to outside systems in the fork; in a plan an example, since the fork has no id yet. */
    readonly idempotency_key: string
    /** What it handed out in the original run. */
    readonly idempotency_key_before: string
  }[]
  /** Questions that were open; they are asked again. */
  readonly open_locks: readonly { readonly lid: string; readonly name: string }[]
  /** Runs that it had started and that were not over; the fork starts its own. */
  readonly children: readonly { readonly fid: string; readonly flow: string }[]
  /** The end of the original is left out. */
  readonly end_cut: boolean
}

/** A line of two texts laid over each other. */
export type DiffLine = { readonly in: 'both' | 'a' | 'b'; readonly text: string }

/** A step of one of two runs. */
export type ComparedStep = {
  readonly status: 'finished' | 'failed' | 'open'
  readonly tries: number
  readonly duration_s: number | null
  readonly tokens: number
  readonly cost: number | null
  readonly result: Json
}

/** Two runs side by side; `differences` are b less a. */
export type RunComparison = {
  readonly a: Run
  readonly b: Run
  readonly inputs: readonly DiffLine[]
  readonly final: readonly DiffLine[]
  readonly steps: readonly {
    readonly id: string
    readonly name: string
    readonly same: boolean
    readonly a: ComparedStep | null
    readonly b: ComparedStep | null
  }[]
  readonly differences: { readonly runtime_s: number | null; readonly events: number; readonly tokens: number; readonly cost: number | null }
}
