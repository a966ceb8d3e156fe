import type { EventRecord } from '@koco/core'
import type { Client, Connection } from 'pg'
import { Query } from 'pg'
import { EVENT_COLUMNS } from './statements.ts'

// COPY's binary form: a signature, flags and an empty extension; each row as its number of fields, then each field behind its length; at the end -1.
const SIGNATURE = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1')
const FIELDS = 8
/** Lengths and numbers of a row; two bytes for the number of fields. */
const FIXED_BYTES = 2 + 4 * FIELDS + 3 * 8
const TRAILER_BYTES = 2
/** The server takes rows message by message; larger ones than its own buffer only cost it memory. */
const MESSAGE_BYTES = 64 * 1024
/** The type and the length of a message. */
const HEAD_BYTES = 5
const COPY_DATA = 0x64
const COPY_DONE = 0x63
const TWO_32 = 2 ** 32

const COPY_EVENTS = `copy execution_events (${EVENT_COLUMNS}) from stdin (format binary)`

/** Events of one run and user. */
export type RunEvents = { readonly fid: string; readonly user: string; readonly records: readonly EventRecord[] }

/** Stores events that are known to be new by COPY: the server fills pages with rows instead of inserting one by one. A place that is taken fails the whole statement, as with INSERT. */
export async function copyEvents(client: Client, runs: readonly RunEvents[]): Promise<void> {
  const messages = copyMessages(runs)
  await new Promise<void>((resolve, reject) => {
    client.query(new CopyIn(COPY_EVENTS, messages, (error) => (error ? reject(error) : resolve())))
  })
}

/**
 * A COPY whose rows go right behind it, in the packet of the statements around it, instead of after the server has asked for them: that would cost the transaction a round trip. A server that
 * refuses the statement passes over the rows (they are of no use without it), says so, and goes on with what follows.
 */
class CopyIn extends Query {
  readonly #text: string
  readonly #messages: Buffer

  constructor(text: string, messages: Buffer, done: (error: Error | undefined) => void) {
    super(text, done)
    this.#text = text
    this.#messages = messages
    this.submit = (connection: Connection) => {
      connection.query(this.#text)
      connection.stream.write(this.#messages)
    }
  }

  /** Where pg would say that there are no rows. */
  handleCopyInResponse(): void {
    // They are on their way.
  }
}

/** Events as the messages that carry them, the one that ends them included. */
function copyMessages(runs: readonly RunEvents[]): Buffer {
  const out = new MessageWriter(runs)
  for (const { fid, user, records } of runs) for (const record of records) out.row(fid, user, record)
  return out.end()
}

class MessageWriter {
  #buffer: Buffer
  #at = 0
  /** Where the current message begins. */
  #start = 0

  constructor(runs: readonly RunEvents[]) {
    let bytes = 0
    let bytesMax = 0
    for (const { fid, user, records } of runs) {
      for (const record of records) {
        const size = FIXED_BYTES + charsOf(fid, user, record)
        bytes += size
        if (size > bytesMax) bytesMax = size
      }
    }
    // Enough for ASCII; other text makes it grow.
    const messages = Math.ceil(bytes / MESSAGE_BYTES) + 2
    this.#buffer = Buffer.allocUnsafe(SIGNATURE.length + bytes + messages * HEAD_BYTES + TRAILER_BYTES + 2 * bytesMax)
    this.#begin()
    this.#at += SIGNATURE.copy(this.#buffer, this.#at)
  }

  row(fid: string, user: string, record: EventRecord): void {
    const { epoch, seq, ts, kind, step, data } = record
    // UTF-8 takes at most three bytes a UTF-16 unit.
    this.#makeRoom(FIXED_BYTES + 3 * charsOf(fid, user, record))
    this.#at = this.#buffer.writeInt16BE(FIELDS, this.#at)
    this.#text(fid)
    this.#count(epoch)
    this.#count(seq)
    this.#text(user)
    this.#at = this.#buffer.writeInt32BE(8, this.#at)
    this.#at = this.#buffer.writeDoubleBE(ts, this.#at)
    this.#text(kind)
    if (step === null) this.#at = this.#buffer.writeInt32BE(-1, this.#at)
    else this.#text(step)
    this.#text(data)
    if (this.#at - this.#start >= MESSAGE_BYTES) {
      this.#close()
      this.#makeRoom(HEAD_BYTES)
      this.#begin()
    }
  }

  end(): Buffer {
    this.#makeRoom(TRAILER_BYTES + HEAD_BYTES)
    this.#at = this.#buffer.writeInt16BE(-1, this.#at)
    this.#close()
    this.#buffer[this.#at] = COPY_DONE
    this.#at = this.#buffer.writeInt32BE(HEAD_BYTES - 1, this.#at + 1)
    return this.#buffer.subarray(0, this.#at)
  }

  #begin(): void {
    this.#start = this.#at
    this.#buffer[this.#at] = COPY_DATA
    this.#at += HEAD_BYTES
  }

  #close(): void {
    this.#buffer.writeInt32BE(this.#at - this.#start - 1, this.#start + 1)
  }

  #text(value: string): void {
    const bytes = this.#buffer.write(value, this.#at + 4)
    this.#at = this.#buffer.writeInt32BE(bytes, this.#at) + bytes
  }

  /** A safe integer, zero or positive, as bigint. */
  #count(value: number): void {
    this.#at = this.#buffer.writeInt32BE(8, this.#at)
    this.#at = this.#buffer.writeUInt32BE(Math.floor(value / TWO_32), this.#at)
    this.#at = this.#buffer.writeUInt32BE(value % TWO_32, this.#at)
  }

  #makeRoom(bytes: number): void {
    if (this.#at + bytes <= this.#buffer.length) return
    this.#buffer = Buffer.concat([this.#buffer.subarray(0, this.#at)], this.#buffer.length * 2 + bytes)
  }
}

function charsOf(fid: string, user: string, { kind, step, data }: EventRecord): number {
  return fid.length + user.length + kind.length + (step?.length ?? 0) + data.length
}
