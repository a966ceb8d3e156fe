import { UnavailableError, type Position } from '@koco/core'
import { assertAppendable, assertSealable } from '../append-rule.ts'
import type { AppendAnswer, EventStreams, RecordBody } from '../port.ts'
import type { MemoryHub } from './hub.ts'

/** The producers' side over memory: an append resolves when a consumer has acknowledged what it covers. */
export class MemoryStreams implements EventStreams {
  readonly commits = true
  readonly #hub: MemoryHub

  constructor(hub: MemoryHub) {
    this.#hub = hub
  }

  async create(fid: string, floor: Position): Promise<void> {
    this.#assertOpen()
    this.#hub.open(fid, floor)
  }

  async append(fid: string, epoch: number, firstSeq: number, records: readonly RecordBody[]): Promise<AppendAnswer> {
    this.#assertOpen()
    assertAppendable(epoch, firstSeq, records.length)
    if (firstSeq === 1 && records[0]) assertSealable(records[0].data)
    const stream = this.#hub.streams.get(fid)
    if (!stream) return { answer: 'nostream' }
    const { backlogMax, bytesMax } = this.#hub.capacity
    const before = stream.bytes
    const answer = stream.append(epoch, firstSeq, records, stream.length >= backlogMax || this.#hub.bytes >= bytesMax)
    this.#hub.bytes += stream.bytes - before
    if (answer.answer === 'ok' && !stream.owner) this.#hub.hint(fid)
    if (answer.answer === 'ok' || answer.answer === 'dup') await stream.committed({ epoch, seq: firstSeq + records.length - 1 })
    return answer
  }

  async top(fid: string): Promise<Position | undefined> {
    this.#assertOpen()
    return this.#hub.streams.get(fid)?.top
  }

  /** Fails the appends that wait for their commit: whether it comes is not known. */
  async close(): Promise<void> {
    this.#hub.closed = true
    for (const stream of this.#hub.streams.values()) stream.fail((upTo) => closedError(` while the events up to ${upTo} waited for their commit`))
  }

  #assertOpen(): void {
    if (this.#hub.closed) throw closedError('')
  }
}

function closedError(when: string): UnavailableError {
  return new UnavailableError(`The memory transport was closed${when}. Start the process again; unfinished runs continue.`, { code: 'transport_closed' })
}
