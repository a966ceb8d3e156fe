/** What the caller of a failed operation should do; each error class below stands for one reaction. */
export type Reaction = 'retry' | 'stop' | 'correct' | 'report'

/** Options of every koco error. `code` is stable and snake_case: programs tell errors apart by it, never by the message. */
export type KocoErrorOptions = { readonly code: string; readonly cause?: unknown; readonly details?: unknown }

/** The base of all errors that koco raises on purpose. The message quotes the offending value and names the remedy. */
export abstract class KocoError extends Error {
  abstract readonly reaction: Reaction
  readonly code: string
  readonly details: unknown

  constructor(message: string, options: KocoErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = new.target.name
    this.code = options.code
    this.details = options.details
  }
}

/** A server or disk is away for now; nothing is lost. Try the same again later. HTTP 503, exit code 3. */
export class UnavailableError extends KocoError {
  readonly reaction = 'retry'
}

/** A newer writer has taken over: start no further side effect, write nothing more. */
export class FencedError extends KocoError {
  readonly reaction = 'stop'
}

/** The request is wrong as it stands; repeating it gives the same answer. HTTP 400, 404, 409, 413 or 422, exit code 2 or 4. */
export class RefusedError extends KocoError {
  readonly reaction = 'correct'
}

/** One record can never be stored, whoever tries: set it aside and report it. */
export class PoisonError extends KocoError {
  readonly reaction = 'report'
}

/** Raised for a programmer's error: a state that the code says cannot be. */
export class AssertionError extends Error {
  override readonly name = 'AssertionError'
}

/** Throws AssertionError unless the condition holds; in production too. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new AssertionError(message)
}

/** Marks a branch that the types say cannot be reached. */
export function assertNever(value: never): never {
  throw new AssertionError(`unexpected value: ${JSON.stringify(value)}`)
}

/** The value, or AssertionError when it is missing. */
export function must<T>(value: T | null | undefined, what: string): T {
  assert(value !== null && value !== undefined, `${what} is missing`)
  return value
}
