import { parsePosition, RefusedError, type Position } from '@koco/core'
import { assertAppendable, assertSealable } from '../append-rule.ts'
import type { AppendAnswer, EventStreams, RecordBody } from '../port.ts'
import { appendScript, createScript } from './append-script.ts'
import type { Connection } from './connections.ts'
import { headerOf } from './entry.ts'
import type { RedisKeys } from './keys.ts'

/** What the producers' side needs to know. */
export type StreamSettings = { readonly keys: RedisKeys; readonly group: string; readonly backlogMax: number; readonly clock: () => number }

/** The producers' side over Redis Streams: an append resolves when Redis has it. */
export class RedisStreams implements EventStreams {
  readonly commits = false
  readonly #link: Connection
  readonly #s: StreamSettings
  #hinted = new Set<string>()
  #opened = new Set<string>()

  constructor(link: Connection, settings: StreamSettings) {
    this.#link = link
    this.#s = settings
  }

  async create(fid: string, floor: Position): Promise<void> {
    const { keys, group } = this.#s
    await this.#link.run(`create the stream of run ${fid}`, async (redis) => {
      await createScript.run(redis, [keys.stream(fid)], [group, floor.epoch, floor.seq])
      await redis.sadd(keys.active, fid)
    })
  }

  async append(fid: string, epoch: number, firstSeq: number, records: readonly RecordBody[]): Promise<AppendAnswer> {
    assertAppendable(epoch, firstSeq, records.length)
    if (firstSeq === 1 && records[0]) assertSealable(records[0].data)
    const { keys, group, backlogMax } = this.#s
    const args: (string | number)[] = [group, epoch, firstSeq, backlogMax]
    for (const record of records) args.push(headerOf(record), record.data)
    const reply = await this.#link.run(`append to run ${fid}`, (redis) => appendScript.run(redis, [keys.stream(fid)], args))
    const answer = answerOf(reply, fid)
    if (answer.answer === 'ok') this.#hint(fid, firstSeq === 1)
    return answer
  }

  async top(fid: string): Promise<Position | undefined> {
    const reply = await this.#link.run(`look at run ${fid}`, async (redis) => {
      try {
        return await redis.xinfo('STREAM', this.#s.keys.stream(fid))
      } catch (error) {
        if (error instanceof Error && error.message.includes('no such key')) return undefined
        throw error
      }
    })
    if (!Array.isArray(reply)) return undefined
    return topOf(reply[reply.indexOf('last-generated-id') + 1], fid)
  }

  /** Says that a stream has work. The hints of one turn go out together; they may be lost, the consumers' sweep finds what they missed. */
  #hint(fid: string, opens: boolean): void {
    if (this.#hinted.size === 0) queueMicrotask(() => this.#sendHints())
    this.#hinted.add(fid)
    if (opens) this.#opened.add(fid)
  }

  #sendHints(): void {
    const { keys, clock } = this.#s
    const now = clock()
    const hinted = [...this.#hinted].flatMap((fid) => [now, fid])
    const opened = [...this.#opened]
    this.#hinted = new Set()
    this.#opened = new Set()
    const sent = this.#link.run('hint', (redis) =>
      Promise.all([opened.length > 0 ? redis.sadd(keys.active, ...opened) : 0, redis.call('ZADD', keys.ready, 'NX', ...hinted)]),
    )
    // A lost hint delays, it loses nothing; the append that follows meets the same outage and reports it.
    sent.catch(() => {})
  }

  async close(): Promise<void> {
    this.#link.close()
  }
}

function answerOf(reply: unknown, fid: string): AppendAnswer {
  const [answer, top, prev] = reply as [AppendAnswer['answer'], string?, (string | null)?]
  if (answer === 'nostream') return { answer }
  const at = topOf(top, fid)
  if (answer === 'ok' || answer === 'dup') return { answer, top: at, ...(prev && { prev: topOf(prev, fid) }) }
  return { answer, top: at }
}

function topOf(text: unknown, fid: string): Position {
  const position = parsePosition(String(text))
  if (position) return position
  throw new RefusedError(
    `The stream of run ${fid} ends at ${String(text)}, which koco never writes: something else wrote to it. Delete that key, the run starts it again.`,
    {
      code: 'foreign_stream',
    },
  )
}
