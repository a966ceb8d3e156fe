import type { Readable } from 'node:stream'
import type { Json, TokenCounts, TypedValue } from '@koco/core'
import type { z } from 'zod'
import type { Duration } from './duration.ts'
import type { FileSide } from './files/path.ts'
import type { FileContent, RunFile } from './files/port.ts'
import type { Conversation } from '@koco/storage'
import type { ProcessOptions, ProcessResult } from './process/port.ts'

/** What a step's function is told. `signal` aborts at the step's timeout, at a cancel and when the process must let go of the run. */
export type StepInfo = {
  readonly signal: AbortSignal
  /** The same over all tries of this step: hand it to outside systems so that they act once. */
  readonly idempotencyKey: string
  /** 1 for the first try. */
  readonly try: number
}

/** How a failed step is tried again: after `delay` (default 1s), then `factor` times longer each time (default 2), at most `maxDelay` (default 1m). `when` says which errors are worth it. */
export type Retries = {
  /** Tries after the first; 0 to 1000. */
  readonly max: number
  readonly delay?: Duration
  readonly factor?: number
  readonly maxDelay?: Duration
  readonly when?: (error: unknown) => boolean
}

/** Options of a step. */
export type StepOptions = {
  /** Makes the step's identity, together with its name. Needed for steps of one name that run side by side; used once in its group. */
  readonly key?: string | number
  /** Default: none. A number stands for `{max: number}`. */
  readonly retries?: number | Retries
  /** Of each try of the step; default none. */
  readonly timeout?: Duration
  /** What the result depends on. Kept as a hash: a later try that declares another input ends with NondeterminismError. */
  readonly input?: unknown
}

/** When nobody has answered a lock so long `after` it was asked, these users (by name) and roles may answer it too. */
export type EscalationStep = {
  readonly after: Duration
  readonly assignees?: readonly string[]
  readonly roles?: readonly ('viewer' | 'user' | 'operator')[]
}

/** Options of a lock. */
export type LockOptions<T> = {
  /** As for steps: for locks of one name that stand open side by side. */
  readonly key?: string | number
  /** The form of the answer: a zod schema, or a JSON Schema; default: any JSON value. */
  readonly form?: z.ZodType<T> | { readonly [key: string]: Json }
  /** What people see beside the question. */
  readonly data?: unknown
  /** When nobody has answered by then, the lock expires; null: never. Default: the installation's `KODO_LOCK_EXPIRES` (3 hours). */
  readonly timeout?: Duration | null
  /** The users (by name) who may answer, and the roles whose holders may; operators always may. Default: the owner of the run. */
  readonly assignees?: readonly string[]
  readonly roles?: readonly ('viewer' | 'user' | 'operator')[]
  /** Who may answer too, besides those above, when nobody has after so long; several in a row with growing times. The run need not be alive for it. */
  readonly escalate?: EscalationStep | readonly EscalationStep[]
  /** `fail` (default): LockExpiredError; `continue`: the lock gives undefined. */
  readonly onExpire?: 'fail' | 'continue'
}

/** A flow by its definition or by its name. */
export type FlowName = string | { readonly koco: 'flow'; readonly name: string }

/** A run that this run has started. Plain data. `id` is its identity in this run: the name of its flow, and key or count. */
export type ChildRun = { readonly fid: string; readonly flow: string; readonly id: string }

/** What `ctx.model` takes; counts that are left out are 0. `duration` is in milliseconds, `cost` in the currency of your bill. */
export type ModelCall = {
  readonly provider: string
  readonly model: string
  readonly duration: number
  readonly tokens: Partial<TokenCounts>
  readonly cost?: number | null
  readonly text?: string
}

/** What `ctx.tool` takes; `duration` is in milliseconds. */
export type ToolCall = { readonly name: string; readonly input: unknown; readonly output?: unknown; readonly error?: unknown; readonly duration: number }

/** Writes lines into the run's timeline: debug and info as `debug` events, warn and error as `warning` events. */
export type RunLog = { readonly [level in 'debug' | 'info' | 'warn' | 'error']: (text: string) => void }

/**
 * The files of a run: under `in/` what it was given, under `out/` what it makes. Paths are names joined by `/`; RefusedError `bad_path` for any other, `unknown_file` for a file that is not there,
 * `file_too_large`, `run_files_too_large`, `too_many_files` above the limits of the installation.
 */
export interface RunFiles {
  /** All files, or those of one side, by path. */
  list(side?: FileSide): Promise<readonly RunFile[]>
  /** A file as a stream of bytes. */
  read(path: string): Promise<Readable>
  /** A whole file of at most 256 MiB. */
  bytes(path: string): Promise<Buffer>
  text(path: string): Promise<string>
  /**
   * Writes a file under `out/` (which may be left out) and tells so by an `upload` event. Whole or not at all: nobody sees half a file, and an older one of this path stays until the new one
   * is on disk.
   */
  write(path: string, content: FileContent): Promise<RunFile>
}

/** The conversations of the run's user. */
export interface RunSessions {
  /** A session with its messages, as it is now or as it was at a revision; `steers`: what is said into its running turn. RefusedError `unknown_session` for one that is not there or another user's. */
  read(id: string, revision?: number): Promise<Pick<Conversation, 'session' | 'messages' | 'steers'>>
}

/**
 * What a flow's function is given besides its inputs. The function may be run again from the top at any time (after a crash, a pause, a
 * long wait): steps that finished give their journaled results, everything else is repeated.
 */
export interface FlowContext {
  readonly fid: string
  /** 1 for the first try of the run. */
  readonly attempt: number
  /** Who started the run. */
  readonly user: string
  /** Aborts at a cancel, at the run's time limit and when the process must let go of the run. */
  readonly signal: AbortSignal
  readonly log: RunLog
  /** The run's files. */
  readonly files: RunFiles
  /** The conversations of who started the run. */
  readonly sessions: RunSessions

  /**
   * Does a piece of work whose result is journaled: it is not done again once it finished. Gives the result as JSON carries it. Throws StepError when the work failed for good, in this try and in every
   * later one; RefusedError when the step has no identity of its own or its result is too large.
   */
  step<T>(name: string, work: (info: StepInfo) => T | Promise<T>): Promise<T>
  step<T>(name: string, options: StepOptions, work: (info: StepInfo) => T | Promise<T>): Promise<T>
  /** Gives the steps, sleeps and locks that `work` asks for a name space of their own, so that branches may run side by side. */
  group<T>(name: string, work: () => T | Promise<T>): Promise<T>
  group<T>(name: string, options: { readonly key?: string | number }, work: () => T | Promise<T>): Promise<T>
  /**
   * Runs a program in a workspace, within limits, as a step of this name: its lines become events while it runs, and it is not run again once it ended. A code other than 0 is no error. RefusedError
   * `process_limit`, `no_command`, `no_processes`.
   */
  process(name: string, options: ProcessOptions): Promise<ProcessResult>
  /** Waits. A long wait costs nothing: the run is put aside and woken. Throws CancelledError when the run is cancelled meanwhile. */
  sleep(span: Duration): Promise<void>
  /** Asks people a question and waits for the first valid answer. Throws LockExpiredError when nobody gave one in time (`onExpire` says otherwise), CancelledError at a cancel. */
  lock<T>(name: string, options: LockOptions<T> & { readonly form: z.ZodType<T>; readonly onExpire: 'continue' }): Promise<T | undefined>
  lock<T>(name: string, options: LockOptions<T> & { readonly form: z.ZodType<T> }): Promise<T>
  lock(name: string, options?: LockOptions<Json>): Promise<Json | undefined>

  /**
   * Starts a run of another flow, with a fid and a timeline of its own, and goes on at once. Started once, however often this function is run again. It runs for the same user, and goes on when
   * this run ends; a cancel of this run cancels it. RefusedError `unknown_flow`, `invalid_inputs`.
   */
  start(flow: FlowName, inputs: unknown, options?: { readonly key?: string | number }): Promise<ChildRun>
  /** Waits for the ends of child runs and gives what they returned; a long wait costs nothing. Throws ChildRunError of the first, in the order given, that did not finish, once all are over. */
  wait(child: ChildRun): Promise<Json>
  wait(children: readonly ChildRun[]): Promise<Json[]>

  /** Builds a Markdown value: return it from the flow, or hand it to `result` or `agent`. */
  markdown(text: string): TypedValue
  /** Builds an HTML value. */
  html(text: string): TypedValue
  /** Builds a plain text value. */
  text(text: string): TypedValue
  /** Builds a JSON value. */
  json(value: unknown): TypedValue

  /** Emits an intermediate result. */
  result(value: unknown): void
  /** Emits what the agent says. */
  agent(value: unknown): void
  /** Emits that the agent does something. */
  action(name: string, value?: unknown): void
  warning(value: unknown): void
  debug(value: unknown): void
  /** Emits how far the work has come; `total` null when that is not known. */
  progress(done: number, total: number | null, text?: string): void
  /** Emits a finished model call; its counts are added to the run's usage. */
  model(call: ModelCall): void
  /** Emits a finished tool call. */
  tool(call: ToolCall): void
  /** Shows a piece of text live. Not stored and may be lost: a closing event should hold the whole. */
  delta(text: string): void

  /** Milliseconds since 1970; outside steps journaled, so that a later try sees the same. */
  now(): number
  /** A number from 0 to below 1; outside steps the same in each try. Not for secrets. */
  random(): number
  /** A version 4 UUID; outside steps the same in each try. Not for secrets. */
  uuid(): string
}
