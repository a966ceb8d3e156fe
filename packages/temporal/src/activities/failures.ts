import { ApplicationFailure } from '@temporalio/activity'
import { KocoError } from '@koco/core'

/** Failure messages are read by people in the Temporal UI; bodies stay in the store. */
const MESSAGE_MAX = 2000

/** A failure after which the server starts the next try of the activity: at once, or after the usual back-off. */
export function tryAgain(type: string, message: string, at: 'once' | 'later', cause?: unknown): ApplicationFailure {
  return ApplicationFailure.create({
    type,
    message: shorten(message),
    nonRetryable: false,
    ...(at === 'once' && { nextRetryDelay: '1 millisecond' }),
    ...(cause instanceof Error && { cause }),
  })
}

/** A failure that no further try would heal. */
export function giveUp(type: string, message: string): ApplicationFailure {
  return ApplicationFailure.create({ type, message: shorten(message), nonRetryable: true })
}

/** What went wrong outside of flows is tried again: stores, streams and servers come back. */
export function failureOf(error: unknown): ApplicationFailure {
  if (error instanceof ApplicationFailure) return error
  const message = error instanceof Error ? error.message : String(error)
  return tryAgain(error instanceof KocoError ? error.code : 'internal', message, 'later', error)
}

/** A text that fits into a history. */
export function shorten(text: string): string {
  return text.length <= MESSAGE_MAX ? text : `${text.slice(0, MESSAGE_MAX)}…`
}
