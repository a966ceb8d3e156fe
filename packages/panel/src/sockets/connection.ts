import type { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'
import type { Principal } from '../auth/permissions.ts'
import type { Attachment } from './attachment.ts'
import { CLOSE, type CloseReason } from './close-codes.ts'
import { frameText, type Frame } from './frames.ts'

/** Limits of one connection. Sizes in bytes. */
export type ConnectionLimits = {
  /** What may wait to be sent before a following waits for the client; and before the connection is closed. */
  readonly unsentBytes: number
  readonly unsentBytesMax: number
  /** How long a client may take nothing before it is closed. */
  readonly blockedMsMax: number
}

/** Thrown into whatever was sending when its client is gone. */
export class GoneError extends Error {
  override readonly name = 'GoneError'
}

/** One open socket: sends frames within bounds, knows who is at the other end and what they follow. */
export class SocketConnection {
  readonly id: string
  readonly socket: WebSocket
  /** Null until the `auth` message. */
  principal: Principal | null = null
  /** What this client follows, by session. */
  readonly attachments = new Map<string, Attachment>()
  /** The session that messages without one are about. */
  current: string | null = null
  /** Whether it wants text before it is stored. */
  live = false
  /** Answers to pings; one that did not answer the last is cut. */
  isAlive = true
  closedBy: number | null = null
  /** What is being done of the client's messages. */
  working: Promise<void> = Promise.resolve()

  readonly #raw: Duplex
  readonly #limits: ConnectionLimits
  readonly #clock: () => number

  constructor(id: string, socket: WebSocket, raw: Duplex, limits: ConnectionLimits, clock: () => number) {
    this.id = id
    this.socket = socket
    this.#raw = raw
    this.#limits = limits
    this.#clock = clock
  }

  get isOpen(): boolean {
    return this.socket.readyState === this.socket.OPEN
  }

  /** Sends a frame at once; closes a client that leaves too much of it unread. */
  send(frame: Frame): void {
    if (!this.isOpen) return
    this.socket.send(frameText(frame, this.#clock()))
    if (this.socket.bufferedAmount > this.#limits.unsentBytesMax) this.close(CLOSE.slow)
  }

  /** Sends a frame that may be left out, and is while the client is behind; says whether it was sent. */
  offer(frame: Frame): boolean {
    if (!this.isOpen || this.socket.bufferedAmount > this.#limits.unsentBytes) return false
    this.socket.send(frameText(frame, this.#clock()))
    return true
  }

  /** Sends a frame and waits while too much is unread. Rejects with GoneError when the client is gone, or takes nothing for too long. */
  async deliver(frame: Frame): Promise<void> {
    if (!this.isOpen) throw new GoneError('the client is gone')
    this.socket.send(frameText(frame, this.#clock()))
    if (this.socket.bufferedAmount <= this.#limits.unsentBytes) return
    if (!(await this.#drained())) {
      this.close(CLOSE.slow)
      throw new GoneError('the client takes nothing')
    }
  }

  /** Says why and closes; cuts a client that does not answer the closing. */
  close({ code, reason }: CloseReason): void {
    if (this.closedBy !== null) return
    this.closedBy = code
    this.socket.close(code, reason)
    const cut = setTimeout(() => this.socket.terminate(), this.#limits.blockedMsMax)
    this.socket.once('close', () => clearTimeout(cut))
  }

  /** True when the client took what was sent, false when it is gone or took too long. */
  #drained(): Promise<boolean> {
    return new Promise((resolve) => {
      const done = (took: boolean): void => {
        clearTimeout(timer)
        this.#raw.removeListener('drain', onDrain)
        this.socket.removeListener('close', onClose)
        resolve(took)
      }
      const onDrain = (): void => done(true)
      const onClose = (): void => done(false)
      const timer = setTimeout(() => done(false), this.#limits.blockedMsMax)
      this.#raw.once('drain', onDrain)
      this.socket.once('close', onClose)
      if (!this.#raw.writableNeedDrain) done(this.isOpen)
    })
  }
}
