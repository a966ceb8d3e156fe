import { FencedError, KocoError, PoisonError, RefusedError, UnavailableError } from '@koco/core'
import type { MessagePort } from 'node:worker_threads'

/** The threads of a store: one connection that writes, one that reads, and in a store that takes events one that moves chunks into the runs' files. */
export type Role = 'writer' | 'reader' | 'filer'

/** What a thread is started with. `peer`: the port between writer and filer; null for the reader, and for the writer of a store that takes no events. `gate`: shared; the writer sets it to OPEN once the tables are there, the others wait for that with their code already loaded. */
export type ThreadData = {
  readonly role: Role
  readonly dir: string
  readonly migrate: boolean
  readonly chunkBytesMax: number
  readonly crashAt: CrashAt | null
  readonly peer: MessagePort | null
  readonly gate: Int32Array<SharedArrayBuffer>
}

/** The states of the gate; it starts as 0. */
export const GATE = { open: 1, failed: 2 } as const

/** For crash tests: the process kills itself with SIGKILL at the named point, when it comes there the `nth` time. */
export type CrashAt = { readonly point: string; readonly nth: number }

/** One call. Calls of one message are answered in one message, where they end together. */
export type Request = { readonly id: number; readonly op: string; readonly args: readonly unknown[] }

/** The answer to one call. */
export type Reply = { readonly id: number; readonly value: unknown } | { readonly id: number; readonly error: PackedError }

/** What a thread says first. */
export type Hello = { readonly ready: true } | { readonly failed: PackedError }

/** An error as it crosses threads: classes do not survive structured cloning. */
export type PackedError = { readonly type: string; readonly message: string; readonly code: string; readonly details: unknown; readonly stack: string }

/** An error, ready to be posted. */
export function packError(error: unknown): PackedError {
  if (error instanceof KocoError) return { type: error.name, message: error.message, code: error.code, details: error.details, stack: error.stack ?? '' }
  const plain = error instanceof Error ? error : new Error(String(error))
  return { type: 'Error', message: plain.message, code: '', details: undefined, stack: plain.stack ?? '' }
}

/** The error that was packed, of its class again; the stack of the thread is its cause. */
export function unpackError(packed: PackedError): Error {
  const { type, message, code, details, stack } = packed
  const cause = new Error(message)
  cause.stack = stack
  const options = { code, details, cause }
  if (type === 'UnavailableError') return new UnavailableError(message, options)
  if (type === 'RefusedError') return new RefusedError(message, options)
  if (type === 'PoisonError') return new PoisonError(message, options)
  if (type === 'FencedError') return new FencedError(message, options)
  return new Error(message, { cause })
}
