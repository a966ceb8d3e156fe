import type { Json } from './json.ts'
import type { Position } from './position.ts'
import type { RunStatus } from './status.ts'

/** The kinds of events, a closed list for writers. A reader passes over kinds and fields that it does not know. */
export const EVENT_KINDS = [
  'status',
  'inputs',
  'meta',
  'attempt',
  'agent',
  'action',
  'result',
  'final',
  'error',
  'warning',
  'debug',
  'stdout',
  'stderr',
  'upload',
  'progress',
  'step',
  'sleep',
  'child',
  'lock',
  'lease',
  'escalate',
  'pause',
  'resume',
  'cancel',
  'model',
  'tool',
] as const

/** One of `EVENT_KINDS`. */
export type EventKind = (typeof EVENT_KINDS)[number]

/** A value that keeps its type, so that a page knows how to show it. */
export type TypedValue = { readonly type: 'markdown' | 'html' | 'text' | 'json' | 'error'; readonly value: Json }

/** An error as events carry it: no stack reaches a client that is not the run's owner's log. */
export type ErrorValue = { readonly name: string; readonly message: string; readonly stack?: string; readonly code?: string }

/** Why a try was started. `finalise` is no try of the flow: it only writes the end of a run whose tries are over. */
export type AttemptReason = 'start' | 'recover' | 'wake' | 'resume' | 'retry' | 'finalise'

/** Token counts of one model call in disjoint classes: their sum is what was billed. */
export type TokenCounts = {
  readonly input_uncached: number
  readonly cache_read: number
  readonly cache_write: number
  readonly output: number
  readonly reasoning: number
}

/** Content that an event names instead of holding it: the SHA-256 of its UTF-8 text (64 hex digits), how many bytes that is, and how many the content store took for it. */
export type ContentRef = { readonly sha256: string; readonly bytes: number; readonly stored: number }

/** Who may answer a question from `at` (unix seconds) on: all of them, those of before too. */
export type Escalation = { readonly at: number; readonly assignees: readonly string[]; readonly roles: readonly string[] }

/** What each kind carries. Fields may be added; none may change its meaning. Times are unix seconds with fraction, durations seconds. */
export type EventData = {
  /** The seal. `prev` is added by the append itself: the last position of the epoch before (`0-0`: none), what it wrote above counts as fenced. `lost`: a hole that nobody can fill. */
  readonly attempt: {
    readonly attempt: number
    readonly reason: AttemptReason
    readonly owner: string
    readonly prev?: string
    /** W3C Trace Context: whoever reads the stream finds the run's trace by it. */
    readonly traceparent?: string
    readonly lost?: { readonly from: string; readonly to: string }
  }
  /** `until`: when a waiting run wakes by itself, null for never. `deaths`: it rests, because so many tries one after the other ended with their process; `reason` says so in words. */
  readonly status: { readonly status: RunStatus; readonly reason?: string; readonly until?: number | null; readonly deaths?: number }
  readonly inputs: { readonly inputs: Json }
  readonly meta: {
    readonly flow: string
    readonly version: string | null
    readonly summary: string
    readonly tags: readonly string[]
    readonly user: string
    readonly parent?: string
  }
  readonly agent: TypedValue
  readonly action: { readonly name: string; readonly value?: Json }
  readonly result: TypedValue
  readonly final: TypedValue
  readonly error: ErrorValue
  readonly warning: TypedValue
  readonly debug: TypedValue
  readonly stdout: { readonly text: string }
  readonly stderr: { readonly text: string }
  readonly upload: { readonly path: string; readonly size: number; readonly type?: string }
  readonly progress: { readonly done: number; readonly total: number | null; readonly text?: string }
  /**
   * `id` is the step's identity in its run: group path, name and key or count. `input` is the hash of a declared input. `content`: the result is large and its JSON text lies in the content store;
   * `result` is null then.
   */
  readonly step:
    | { readonly phase: 'started'; readonly id: string; readonly name: string; readonly try: number; readonly input?: string }
    | {
        readonly phase: 'finished'
        readonly id: string
        readonly name: string
        readonly try: number
        readonly duration_s: number
        readonly input?: string
        readonly result: Json
        readonly undefined?: true
        readonly content?: ContentRef
      }
    | {
        readonly phase: 'failed'
        readonly id: string
        readonly name: string
        readonly try: number
        readonly duration_s: number
        readonly error: ErrorValue
        readonly retry_at: number | null
        readonly input?: string
      }
  readonly sleep: { readonly phase: 'started'; readonly id: string; readonly until: number } | { readonly phase: 'finished'; readonly id: string }
  /** A run that this run started, and how it ended: said when this run has seen it. `id` is its identity in this run, as of a step; `input` the hash of its inputs. */
  readonly child:
    | { readonly phase: 'started'; readonly id: string; readonly fid: string; readonly flow: string; readonly input: string }
    | { readonly phase: 'ended'; readonly id: string; readonly fid: string; readonly flow: string; readonly status: 'finished'; readonly result: TypedValue }
    | {
        readonly phase: 'ended'
        readonly id: string
        readonly fid: string
        readonly flow: string
        readonly status: 'error' | 'cancelled' | 'timed_out'
        readonly error: ErrorValue
      }
  /** A question to people. `form` is the JSON Schema of the answer. `assignees` (names of users) and `roles`: who may answer; without either, the owner of the run. Operators always may. */
  readonly lock: {
    readonly lid: string
    readonly name: string
    readonly form: Json
    readonly data: Json
    readonly expires_at: number | null
    readonly assignees?: readonly string[]
    readonly roles?: readonly string[]
    /** While nobody answers: who may from `at` on, in place of those before. */
    readonly escalations?: readonly Escalation[]
  }
  /** Nobody had answered a question by then: these may from now on. `step`: which of its escalations, counted from 1. */
  readonly escalate: { readonly lid: string; readonly step: number } & Escalation
  /** The answer, or that nobody gave one in time. */
  readonly lease:
    | { readonly lid: string; readonly answer: Json; readonly by: string; readonly at: number; readonly reason?: string }
    | { readonly lid: string; readonly expired: true; readonly at: number }
  readonly pause: { readonly by: string; readonly reason?: string }
  readonly resume: { readonly by: string }
  readonly cancel: { readonly by: string; readonly reason?: string }
  readonly model: {
    readonly provider: string
    readonly model: string
    readonly duration_s: number
    readonly tokens: TokenCounts
    readonly cost: number | null
    readonly text?: string
  }
  readonly tool: { readonly name: string; readonly input: Json; readonly output?: Json; readonly error?: ErrorValue; readonly duration_s: number }
}

/** One immutable record of a run. `ts` is unix seconds, fraction kept; `step` the id of the step that it belongs to. */
export type RunEvent = {
  [K in EventKind]: {
    readonly fid: string
    readonly epoch: number
    readonly seq: number
    readonly ts: number
    readonly kind: K
    readonly step?: string
    readonly data: EventData[K]
  }
}[EventKind]

/**
 * An event in the form in which it travels and is stored: `data` is JSON text, so that nothing on the way parses and prints it again.
 * `kind` is a plain string because readers meet kinds of later versions. The fid goes with the stream, file or row around it.
 */
export type EventRecord = Position & { readonly ts: number; readonly kind: string; readonly step: string | null; readonly data: string }

/** The largest `data` of one event, in UTF-8 bytes. */
export const EVENT_BYTES_MAX = 256 * 1024

/** A step's result of more bytes of JSON text than this lies in the content store, where there is one. */
export const INLINE_BYTES_MAX = 64 * 1024

/** The largest result of a step, in bytes of JSON text, where there is a content store. */
export const CONTENT_BYTES_MAX = 16 * 1024 * 1024
