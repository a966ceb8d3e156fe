import {
  comparePositions,
  encodeEvent,
  formatPosition,
  isEnded,
  must,
  type AttemptReason,
  type EventData,
  type EventKind,
  type EventRecord,
  type Json,
  type NewRun,
  type Position,
  type RunStatus,
} from '@koco/core'

/** A run as a store ends up holding it. `records` are all rows in key order; `timeline` the same without fenced ones. */
export type RecordedRun = { readonly run: NewRun; readonly records: readonly EventRecord[]; readonly timeline: readonly EventRecord[] }

/** Where a script takes its choices from: `choose(n)` gives 0 … n-1, `value()` some JSON. */
export type Choices = { readonly choose: (n: number) => number; readonly value: () => Json }

const START_MS = 1_790_000_000_000

/**
 * Writes one legal run, choice by choice: tries that crash, wake, pause and are retried, steps, locks, sleeps, and what a zombie wrote above its seal or Redis lost for
 * good. After every `advance` the run is legal as it stands, over or not.
 */
export class RunScript {
  readonly #run: NewRun
  readonly #choices: Choices
  readonly #records: EventRecord[] = []
  readonly #fenced = new Set<EventRecord>()
  #top: Position
  #ts = START_MS / 1000
  #status: RunStatus = 'starting'
  #attempt = 0
  #ids = 0
  #openSteps: string[] = []
  #openLocks: string[] = []
  #sleeping: string | undefined
  /** What the question that was asked last comes to while nobody answers. */
  #escalation: EventData['escalate'] | undefined

  constructor(run: NewRun, choices: Choices) {
    this.#run = run
    this.#choices = choices
    this.#top = { epoch: 0, seq: 0 }
    this.#openTry('start')
    this.#enter('starting')
    this.#write('inputs', { inputs: run.inputs })
    const { flow, version, summary, tags, user } = run
    this.#write('meta', { flow, version, summary, tags, user })
    this.#enter('running')
  }

  /** How many rows there are, fenced ones too. */
  get length(): number {
    return this.#records.length
  }

  /** The run so far. */
  recorded(): RecordedRun {
    const records = [...this.#records].sort(comparePositions)
    return { run: this.#run, records, timeline: records.filter((record) => !this.#fenced.has(record)) }
  }

  /** Writes what one choice leads to: one event or a few that belong together. */
  advance(): void {
    if (isEnded(this.#status)) this.#retry()
    else if (this.#status === 'awaiting') this.#wait()
    else if (this.#status === 'paused') this.#continue('resume')
    else this.#work()
  }

  /** Emits plain output only, so that benches get events of one size: no try ends. */
  say(text: string): void {
    this.#write('result', { type: 'markdown', value: text })
  }

  /** Ends the run in order. */
  finish(): void {
    this.#write('final', { type: 'json', value: this.#choices.value() })
    this.#enter('finished')
  }

  #work(): void {
    const moves: readonly (() => void)[] = [
      () => this.#speak(),
      () => this.#speak(),
      () => this.#speak(),
      () => this.#startStep(),
      () => this.#endStep(),
      () => this.#ask(),
      () => this.#sleep(),
      () => this.#pause(),
      () => this.#crash(),
      () => this.#end(),
    ]
    must(moves[this.#choices.choose(moves.length)], 'move')()
  }

  #speak(): void {
    const value = this.#choices.value()
    const text = typeof value === 'string' ? value : JSON.stringify(value)
    const tokens = { input_uncached: 10, cache_read: this.#choices.choose(100), cache_write: 0, output: 5, reasoning: 1 }
    const says: readonly (() => void)[] = [
      () => this.#write('agent', { type: 'markdown', value: text }),
      () => this.#write('action', { name: 'look', value }),
      () => this.#write('result', { type: 'json', value }),
      () => this.#write('warning', { type: 'text', value: text }),
      () => this.#write('debug', { type: 'text', value: text }),
      () => this.#write('stdout', { text }),
      () => this.#write('stderr', { text }),
      () => this.#write('upload', { path: `out/${this.#newId()}`, size: this.#choices.choose(1_000) }),
      () => this.#write('progress', { done: this.#choices.choose(10), total: this.#choices.choose(2) === 0 ? null : 10, text }),
      () => this.#write('model', { provider: 'p', model: 'm', duration_s: 0.25, tokens, cost: this.#choices.choose(2) === 0 ? null : 0.125 }),
      () => this.#write('child', { phase: 'started', id: this.#newId(), fid: '0'.repeat(24), flow: 'child', input: 'abc' }),
      () => this.#write('tool', { name: 'search', input: value, output: value, duration_s: 0.5 }),
    ]
    must(says[this.#choices.choose(says.length)], 'speech')()
  }

  #startStep(): void {
    const id = this.#newId()
    this.#openSteps.push(id)
    this.#write('step', { phase: 'started', id, name: 'fetch', try: 1 }, id)
  }

  #endStep(): void {
    const id = this.#openSteps.shift()
    if (id === undefined) return this.#startStep()
    const common = { id, name: 'fetch', try: 1, duration_s: 0.5 }
    const error = { name: 'Error', message: 'no answer' }
    if (this.#choices.choose(3) > 0) this.#write('step', { phase: 'finished', ...common, result: this.#choices.value() }, id)
    else this.#write('step', { phase: 'failed', ...common, error, retry_at: null }, id)
  }

  #ask(): void {
    const lid = this.#newId()
    this.#openLocks.push(lid)
    const expires_at = this.#choices.choose(2) === 0 ? null : this.#ts + 60
    const escalations = expires_at === null ? [] : [{ at: this.#ts + 30, assignees: ['ann', 'bob'], roles: ['operator'] }]
    this.#write('lock', { lid, name: 'approve', form: { type: 'object' }, data: this.#choices.value(), expires_at, escalations })
    this.#escalation = escalations[0] && { lid, step: 1, ...escalations[0] }
    this.#enter('awaiting', this.#escalation?.at ?? null)
  }

  #sleep(): void {
    this.#sleeping = this.#newId()
    const until = this.#ts + 30
    this.#write('sleep', { phase: 'started', id: this.#sleeping, until })
    this.#enter('awaiting', until)
  }

  #pause(): void {
    this.#write('pause', { by: 'ann' })
    this.#enter('paused')
  }

  #wait(): void {
    const choice = this.#choices.choose(5)
    if (choice === 0) return this.#pause()
    if (choice === 1) return this.#cancel()
    this.#openTry('wake')
    if (this.#escalation) this.#write('escalate', this.#escalation)
    this.#escalation = undefined
    const lid = this.#openLocks.shift()
    if (lid !== undefined && choice === 2) this.#write('lease', { lid, expired: true, at: this.#ts })
    else if (lid !== undefined) this.#write('lease', { lid, answer: this.#choices.value(), by: 'ann', at: this.#ts })
    if (this.#sleeping !== undefined) this.#write('sleep', { phase: 'finished', id: this.#sleeping })
    this.#sleeping = undefined
    return this.#enter('running')
  }

  #continue(reason: AttemptReason): void {
    this.#openTry(reason)
    if (reason === 'resume') this.#write('resume', { by: 'ann' })
    this.#enter('running')
  }

  /** A worker dies: its zombie may write on above the seal, or Redis may lose what it had acknowledged. */
  #crash(): void {
    const top = this.#top
    const fate = this.#choices.choose(4)
    const count = 1 + this.#choices.choose(3)
    if (fate === 1) for (let left = count; left > 0; left--) this.#fenced.add(this.#write('stdout', { text: 'from a zombie' }))
    this.#top = top
    const lost = fate === 2 ? { from: formatPosition(after(top, 1)), to: formatPosition(after(top, count)) } : undefined
    this.#openTry('recover', lost)
    this.#enter('running')
  }

  #cancel(): void {
    this.#write('cancel', { by: 'ann', reason: 'enough' })
    this.#enter('cancelled')
  }

  #end(): void {
    const choice = this.#choices.choose(4)
    if (choice < 2) return this.finish()
    if (choice === 2) {
      this.#write('error', { name: 'Error', message: 'it broke' })
      return this.#enter('error')
    }
    this.#openTry('finalise')
    return this.#enter('timed_out')
  }

  #retry(): void {
    this.#openTry('retry')
    this.#enter('starting')
    this.#enter('running')
  }

  #openTry(reason: AttemptReason, lost?: EventData['attempt']['lost']): void {
    const prev = formatPosition(this.#top)
    if (reason !== 'finalise') this.#attempt += 1
    this.#ts += 1
    this.#top = { epoch: Math.max(this.#top.epoch + 1, Math.round(this.#ts * 1000)), seq: 0 }
    this.#write('attempt', { attempt: this.#attempt, reason, owner: `worker-${this.#attempt}`, ...(lost && { lost }), prev })
  }

  #enter(status: RunStatus, until: number | null = null): void {
    this.#status = status
    this.#write('status', { status, ...(until !== null && { until }) })
  }

  #write<K extends EventKind>(kind: K, data: EventData[K], step?: string): EventRecord {
    this.#ts = Math.round(this.#ts * 1e6 + 12_345) / 1e6
    this.#top = after(this.#top, 1)
    const record = { ...this.#top, ...encodeEvent({ kind, data, ts: this.#ts, step }, this.#run.flow) }
    this.#records.push(record)
    return record
  }

  #newId(): string {
    this.#ids += 1
    return `fetch#${this.#ids}`
  }
}

function after({ epoch, seq }: Position, count: number): Position {
  return { epoch, seq: seq + count }
}
