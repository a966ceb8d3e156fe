export { contentOf } from './content.ts'
export { decodeEvent, encodeEvent, eventJson, isEventKind, type NewEvent } from './codec.ts'
export {
  assert,
  AssertionError,
  assertNever,
  FencedError,
  KocoError,
  must,
  PoisonError,
  RefusedError,
  UnavailableError,
  type KocoErrorOptions,
  type Reaction,
} from './errors.ts'
export {
  CONTENT_BYTES_MAX,
  EVENT_BYTES_MAX,
  EVENT_KINDS,
  INLINE_BYTES_MAX,
  type AttemptReason,
  type ContentRef,
  type ErrorValue,
  type Escalation,
  type EventData,
  type EventKind,
  type EventRecord,
  type RunEvent,
  type TokenCounts,
  type TypedValue,
} from './event.ts'
export { isFid, newFid } from './fid.ts'
export { issueWords } from './issue-words.ts'
export { canonicalJson, isJsonObject, parseJson, toJson, toJsonText, type Json } from './json.ts'
export { evolveLocks, type LockState, type LockStatus } from './lock.ts'
export { comparePositions, formatPosition, ORIGIN, parsePosition, type Position } from './position.ts'
export { advance, evolve, ImpossibleTransitionError, newRunState, type NewRun, type RunState, type Usage } from './run.ts'
export { isEnded, isRunStatus, mayFollow, RUN_STATUSES, type EndedStatus, type RunStatus } from './status.ts'
export { parseTraceparent, runTrace, runTraceparent, type RunTrace } from './trace.ts'
export { WEBHOOK_EVENTS, type WebhookEvent } from './webhook-event.ts'
