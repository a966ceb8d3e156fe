import type { EventRecord, Json, NewEvent, Position } from '@koco/core'

/**
 * Answer to one append. `top` is the stream's last generated position after the call.
 * - `ok`: accepted; an overlap with what was there already was skipped, the missing tail appended.
 * - `dup`: all of it was there already; an earlier reply was lost.
 * - `gap`: the first seq would leave a hole; nothing was written. Send again from `top`.
 * - `fenced`: a later epoch has written; nothing was written, stop for good.
 * - `busy`: too many entries wait to be persisted; nothing was written, try again later.
 * - `nostream`: the stream is gone (or was never created); nothing was written.
 * `prev` is there when the call covered the first event of its epoch: the seal, the stream's top before it.
 */
export type AppendAnswer =
  | { readonly answer: 'ok' | 'dup'; readonly top: Position; readonly prev?: Position }
  | { readonly answer: 'gap' | 'fenced' | 'busy'; readonly top: Position }
  | { readonly answer: 'nostream' }

/** A record without its position: the append numbers it `epoch`-`firstSeq`, `firstSeq` + 1, … */
export type RecordBody = Omit<EventRecord, 'epoch' | 'seq'>

/** The producers' side of a run's stream. */
export interface EventStreams {
  /** True when an append resolves only after the store's commit (memory), false when it resolves once the stream has it (Redis). */
  readonly commits: boolean
  /**
   * Creates a run's stream and its consumer group, its last position raised to `floor` (the store's high-water mark; ORIGIN for a new run). The one
   * place where a stream is made; harmless when it exists.
   */
  create(fid: string, floor: Position): Promise<void>
  /**
   * Appends records of one epoch from `firstSeq` on, all or nothing. The data of the record with seq 1 must be a JSON object; the append adds
   * `"prev":"<top>"` to it: the seal. Over Redis it resolves when Redis has it, in memory when the store has committed it.
   * Throws UnavailableError when the outcome is unknown: send the same again. A `step` of '' comes back as null.
   */
  append(fid: string, epoch: number, firstSeq: number, records: readonly RecordBody[]): Promise<AppendAnswer>
  /** The last generated position of a stream, or undefined when there is none. */
  top(fid: string): Promise<Position | undefined>
  close(): Promise<void>
}

/**
 * The one writer of one epoch of a run: numbers events, batches them (5 ms or 50 events, whichever first; a flush sends at once), keeps what the store has not committed in a bounded ring and sends it
 * again when the stream forgot it.
 */
export interface Producer {
  readonly epoch: number
  /** Aborted when this epoch must write nothing more: the reason is FencedError, or UnavailableError `events_lost` (details `{from, to}`: positions that nobody can fill; a new epoch reports them). */
  readonly stopped: AbortSignal
  /** Numbers an event and queues it. Throws RefusedError `event_too_large`, and the reason of `stopped`. The first event must be the `attempt`. */
  emit(event: NewEvent): Position
  /** Resolves when everything emitted before is acknowledged by the stream; waits through outages and back-pressure. Rejects with the reason of `stopped`, or when `signal` aborts. */
  flush(signal?: AbortSignal): Promise<void>
  /** The seal: the last position of the epoch before; known once the first event is acknowledged (undefined then only if both the reply and the entry were lost: the stored `attempt` event has it). */
  readonly prev: Position | undefined
  /** Flushes for at most `withinMs`, then ends the producer. Rejects with UnavailableError `events_unsent` when events were left; quiet when it was stopped before. */
  close(withinMs: number): Promise<void>
}

/** One entry of a stream. `record` is null when it was trimmed before it was acknowledged or is none of ours; `raw` then says what was found. */
export type StreamEntry = { readonly position: Position; readonly record: EventRecord | null; readonly raw?: string; readonly deliveries: number }

/** What a read gave of one stream; `more` when entries beyond these are known to wait. */
export type StreamBatch = { readonly fid: string; readonly entries: readonly StreamEntry[]; readonly more: boolean }

/** How far a consumer stands, for `--status` and metrics. `lag`: entries not yet acknowledged over its streams. The name '' stands for streams with backlog that nobody holds. */
export type ConsumerStatus = { readonly name: string; readonly streams: number; readonly lag: number; readonly oldestPendingMs: number | null }

/**
 * The spooler's side: shares the streams with other consumers, one owner a stream at a time by lease. Correctness never rests on the
 * lease: two owners give duplicates, which the store's key removes.
 */
export interface StreamConsumer {
  /** Up to `max` streams with work, their leases now held here; waits at most `waitMs` for the first. `close` ends the wait with an empty answer. */
  acquire(max: number, waitMs: number): Promise<string[]>
  /** The next entries of each stream, at most `countEach`: first what is pending in the group, whoever's it was, then new ones. Consecutive calls go on without an ack in between. */
  read(fids: readonly string[], countEach: number): Promise<StreamBatch[]>
  /** Acknowledges everything of each stream up to `upTo` that was read here, and trims what is acknowledged. Call only after the commit. */
  ack(done: readonly { readonly fid: string; readonly upTo: Position }[]): Promise<void>
  /** Gives leases back. `again`: work is known to be left, hint at once; otherwise the stream is looked at once more for entries that came meanwhile. */
  release(fids: readonly string[], again?: boolean): Promise<void>
  /** Prolongs those leases that are held here; gives the ones that were lost: they ran out, and others have them. */
  renew(fids: readonly string[]): Promise<string[]>
  /** Hints again at active streams with backlog and no owner; what a lost hint missed. Gives how many. */
  sweep(): Promise<number>
  /** The run's end is persisted: lets the stream expire after the grace time. */
  expire(fids: readonly string[]): Promise<void>
  status(): Promise<ConsumerStatus[]>
  /** Stops: ends a waiting `acquire`, releases the leases that are held. */
  close(): Promise<void>
}

/**
 * News for whoever listens now; may be lost, never relied on. `committed`: the store has everything up to `position`. `delta`: live text of a model. `control`: somebody
 * asked something of a run (pause, cancel, answer): look into the store. `heard`: a try has looked, and acts on it. `session`: a turn of a conversation began or ended; `fid` is the session's id.
 * `revoked`: somebody must not go on as who they are; `fid` says who, in the panels' words.
 */
export type Signal =
  | { readonly topic: 'committed'; readonly fid: string; readonly position: string; readonly ended: boolean }
  | { readonly topic: 'delta'; readonly fid: string; readonly step: string | null; readonly text: string }
  | { readonly topic: 'control' | 'heard' | 'session'; readonly fid: string }
  | { readonly topic: 'revoked'; readonly fid: string }

/** Publish and subscribe between the processes of one installation. */
export interface SignalBus {
  /** Resolves when the signals are on their way, also when they are lost because the bus is away. */
  publish(signals: readonly Signal[]): Promise<void>
  /** Calls `listener` for each signal of a topic, of one run or of all ('*'). The subscription stands when the promise resolves; the result ends it. */
  subscribe<T extends Signal['topic']>(topic: T, fid: string, listener: (signal: Extract<Signal, { topic: T }>) => void): Promise<() => void>
  /** Calls `listener` after each reconnect of the bus: signals may have been missed, look again. */
  onReconnect(listener: () => void): () => void
  close(): Promise<void>
}

/** A worker that has fallen silent, with the tasks that it was at. */
export type LostWorker = { readonly worker: string; readonly tasks: readonly string[] }

/** A worker on the board: how many tasks it is at, how long ago it was last heard of. */
export type LivingWorker = { readonly worker: string; readonly tasks: number; readonly silentMs: number }

/**
 * Who lives and what they are at, so that the work of a dead worker is taken up within seconds. Only a hint: a worker that was slow, or a board that forgot, must do no harm. Methods throw
 * UnavailableError while the board is away.
 */
export interface LivenessBoard {
  /** A worker that says nothing for so long counts as dead, in ms. */
  readonly lifeMs: number
  /** Says that a worker lives. */
  beat(worker: string): Promise<void>
  /** Notes that a worker is at a task; one that another worker noted before is that one's no longer. */
  take(worker: string, task: string): Promise<void>
  /** Notes the end of a worker's task; nothing when it is another's by now. */
  drop(worker: string, task: string): Promise<void>
  /** The workers that count as dead. Each is told to one caller, who sees to its tasks and then forgets it; to others again after `claimMs`. */
  lost(claimMs: number): Promise<readonly LostWorker[]>
  /** Takes a worker and its tasks off the board. */
  forget(worker: string): Promise<void>
  /** All workers on the board. */
  workers(): Promise<readonly LivingWorker[]>
}

/** A lease that its holder keeps: one of those that stand under `name`. */
export type Lease = { readonly name: string; readonly holder: string }

/**
 * Counts what there may be only so much of in the whole installation, as the connections of a user: who holds a lease counts until it is given back, or not renewed for its life, as after a crash. Methods throw
 * UnavailableError while the counter is away; leases whose holder goes on renewing come back with it.
 */
export interface LeaseCounter {
  /** How long a lease stands without being renewed, in ms. */
  readonly lifeMs: number
  /** Takes a lease unless `max` others stand under its name; false then. However many ask at once, no more than `max` get one. Harmless for who has it. */
  take(lease: Lease, max: number): Promise<boolean>
  /** Prolongs leases; one that was lost stands again, since its holder is still there. */
  renew(leases: readonly Lease[]): Promise<void>
  /** Gives a lease back; nothing when it does not stand. */
  release(lease: Lease): Promise<void>
  /** How many stand under a name now. */
  count(name: string): Promise<number>
}

/**
 * Hands a request to one process by its name: taken now or not at all, nothing is kept for later. Only for what the caller can do itself otherwise, and what may be done twice: an answer that is
 * missing does not say that nothing was done.
 */
export interface Handover {
  /** Takes the requests for `name`: what `take` resolves to goes back, one that it rejects counts as not taken. It stands when the promise resolves; the result ends it. */
  serve(name: string, take: (request: Json) => Promise<Json>): Promise<() => void>
  /** The answer; undefined when nobody serves `name`, when none came within `ms`, or while the transport is away. */
  ask(name: string, request: Json, ms: number): Promise<Json | undefined>
}

/** Everything of a transport, made together because it shares connections. */
export interface Transport {
  readonly streams: EventStreams
  readonly signals: SignalBus
  readonly liveness: LivenessBoard
  readonly leases: LeaseCounter
  readonly handover: Handover
  /** A consumer with a stable name, one a spooler slot. */
  consumer(name: string): StreamConsumer
  /** Throws UnavailableError with the remedy when the transport cannot take appends now, RefusedError when its server is not fit for it (version, eviction policy). */
  check(): Promise<void>
  /** The server's clock in unix ms; absent when there is no server. */
  serverTime?(): Promise<number>
  close(): Promise<void>
}
