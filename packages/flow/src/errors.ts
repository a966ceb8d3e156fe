import { inspect } from 'node:util'
import { KocoError, RefusedError, type EndedStatus, type ErrorValue } from '@koco/core'

/** The flow did not do the same as in an earlier try of its run: its journal cannot be continued. */
export class NondeterminismError extends RefusedError {}

/** The run was cancelled; thrown by waits and the reason of aborted signals. */
export class CancelledError extends KocoError {
  readonly reaction = 'stop'
}

/** The run's working time is used up; thrown by waits and the reason of aborted signals. */
export class RunTimeoutError extends KocoError {
  readonly reaction = 'stop'
}

/** One try of a step took longer than its timeout. */
export class StepTimeoutError extends KocoError {
  readonly reaction = 'report'
}

/** Nobody answered a lock in time. */
export class LockExpiredError extends KocoError {
  readonly reaction = 'report'
}

/**
 * What a step that failed for good throws, in the try that saw it and in every later one alike: name, message and code are the original's. `cause` is the original,
 * only in the try that saw it.
 */
export class StepError extends Error {
  readonly step: string
  readonly code: string | undefined

  constructor(step: string, error: ErrorValue, cause?: unknown) {
    super(error.message, cause === undefined ? undefined : { cause })
    this.name = error.name
    this.step = step
    this.code = error.code
  }
}

/** A child run that was waited for did not finish. Its code is `child_error`, `child_cancelled` or `child_timed_out`. */
export class ChildRunError extends KocoError {
  readonly reaction = 'report'
  /** The run that ended so. */
  readonly child: string
  readonly flow: string
  readonly status: Exclude<EndedStatus, 'finished'>
  /** Its own error. */
  readonly error: ErrorValue

  constructor(child: { readonly fid: string; readonly flow: string }, status: Exclude<EndedStatus, 'finished'>, error: ErrorValue) {
    const { fid, flow } = child
    super(`Child run ${fid} of flow "${flow}" ended as ${status}: ${error.message}`, { code: `child_${status}`, details: { fid, flow, status, error } })
    this.child = fid
    this.flow = flow
    this.status = status
    this.error = error
  }
}

const MESSAGE_MAX = 8_000

/** An error as events carry it: without its stack. */
export function errorValue(error: unknown): ErrorValue {
  if (!(error instanceof Error)) return { name: 'Error', message: cut(printable(error)) }
  const code = 'code' in error && (typeof error.code === 'string' || typeof error.code === 'number') ? String(error.code) : undefined
  return {
    name: error.name || 'Error',
    message: cut(error.message || (error.cause === undefined ? error.name : printable(error.cause))),
    ...(code !== undefined && { code }),
  }
}

function printable(value: unknown): string {
  if (value instanceof Error) return value.message
  return typeof value === 'string' ? value : inspect(value, { depth: 2, breakLength: Infinity })
}

function cut(text: string): string {
  return text.length <= MESSAGE_MAX ? text : `${text.slice(0, MESSAGE_MAX)}…`
}
