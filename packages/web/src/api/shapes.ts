import type { Run, RunDetail } from '@koco/core/api'

/** When the page got something, in its own unix seconds: a ticking runtime counts from here. */
export type Received = { readonly read_at: number }

/** A run of a list, as the page has it. */
export type RunRow = Run & Received

/** A run as its own page has it, with its questions and inputs. */
export type WholeRun = RunDetail & Received
