import type { Json, RunStatus } from '@koco/core'

/**
 * A run to start. The launcher creates the row in the store; with a known idempotency key it gives the first run's fid. `fid`: the new id under which to start, for who has put the run's files
 * in place before; else the launcher makes one.
 */
export type StartRun = {
  readonly flow: string
  readonly inputs: Json
  readonly user: string
  readonly idempotencyKey: string | null
  readonly parent?: string
  readonly fid?: string
}

/** What became of a request to a run; each is final and may be repeated. */
export type ControlOutcome = { readonly outcome: 'accepted' } | { readonly outcome: 'ended'; readonly status: RunStatus } | { readonly outcome: 'unknown' }

/** What became of an answer to a lock. `by` is who was first. `invalid` carries the fields that do not fit the form. */
export type AnswerOutcome =
  | { readonly outcome: 'accepted' }
  | { readonly outcome: 'answered'; readonly by: string }
  | { readonly outcome: 'expired' | 'closed' | 'unknown' }
  | { readonly outcome: 'invalid'; readonly fields: readonly FieldError[] }

/** A field that failed its schema: a JSON pointer and one sentence. */
export type FieldError = { readonly path: string; readonly message: string }

/** What a launcher knows of a run's process: is a try at work now, where; else, when the run could go on and does not, what it waits for. */
export type RunProcess = { readonly executing: boolean; readonly where: string | null; readonly waitsFor?: string }

/**
 * Starts runs and passes people's requests on to them. Everything accepted is durable: it survives the death of every process.
 * Two adapters, one contract suite: `direct` (this process) and `temporal`.
 */
export interface Launcher {
  readonly name: 'direct' | 'temporal'
  /** Resolves when the run can no longer be lost. RefusedError `unknown_flow` or `invalid_inputs` (details: FieldError[]). */
  start(run: StartRun): Promise<{ readonly fid: string; readonly created: boolean }>
  pause(fid: string, by: string, reason?: string): Promise<ControlOutcome>
  resume(fid: string, by: string): Promise<ControlOutcome>
  cancel(fid: string, by: string, reason?: string): Promise<ControlOutcome>
  /** RefusedError `unknown_flow` when no run of this flow could be started or retried here. */
  mustServe(flow: string): Promise<void>
  /** Starts an ended run again: same fid, finished steps kept. `live`: it is not over. */
  retry(fid: string, by: string): Promise<{ readonly outcome: 'accepted' } | { readonly outcome: 'live' | 'unknown' }>
  answer(fid: string, lid: string, answer: Json, by: string, reason?: string): Promise<AnswerOutcome>
  describe(fid: string): Promise<RunProcess>
  /** Stops taking starts, lets tries come to a step border within `graceMs`, suspends the rest; nothing is lost. */
  close(graceMs: number): Promise<void>
}
