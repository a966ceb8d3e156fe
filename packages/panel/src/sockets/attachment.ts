import { comparePositions, ORIGIN, UnavailableError, type Json, type Position } from '@koco/core'
import type { ChatMessage, ChatSession, ExecutionStore } from '@koco/storage'
import type { Conversations } from '../chat/conversations.ts'
import type { Wakeups } from '../tail/wakeups.ts'
import { errorFrame, type Frame } from './frames.ts'
import type { SessionNews } from './session-news.ts'
import { LivePreview } from './live-preview.ts'
import type { HeardTurn, LiveWords } from './live-words.ts'
import { formatSessionPosition, type SessionPosition } from './session-position.ts'
import type { SharedReads } from './shared-reads.ts'
import { TurnFrames } from './turn-frames.ts'

/** What following a session stands on. */
export type AttachmentDeps = {
  readonly store: Pick<ExecutionStore, 'sessions'>
  readonly conversations: Conversations
  readonly news: SessionNews
  readonly wakeups: Wakeups
  readonly reads: SharedReads
  readonly words: LiveWords
  readonly lookAgainMs: number
}

/** Who follows. */
export type Follower = {
  /** Sends a frame and waits while the client is slow; rejects when it is gone. */
  deliver(frame: Frame): Promise<void>
  /** Sends a frame that may be left out, unless the client is behind; says whether it was sent. */
  offer(frame: Frame): boolean
  /** Whether it wants text before it is stored. */
  readonly live: boolean
}

/** The live text of a turn for a client that wants it. */
type Preview = { readonly preview: LivePreview; readonly heard: HeardTurn; readonly stop: () => void }

/** A turn that is being sent: the cursor of what was read, and behind which position the client needs more. */
type FollowedTurn = { readonly fid: string; readonly frames: TurnFrames; readonly from: Position; readonly live: Preview | null; cursor: Position }

const MESSAGES_MAX = 500
/** A session in which nothing runs is looked at so much more rarely than a turn. */
const IDLE_TIMES = 10

/**
 * One connection that follows one session: every turn, whoever began it and in whatever panel, one after the other, each event's frames once and in order. It pulls from the store with a cursor of its own and goes
 * no faster than its client takes; what wakes it may be lost, for it also looks by itself.
 */
export class Attachment {
  readonly session: string
  readonly #deps: AttachmentDeps
  readonly #follower: Follower
  readonly #abort = new AbortController()
  #version = 0
  #wake: (() => void) | undefined
  #position: SessionPosition | undefined
  #turn: FollowedTurn | undefined
  #lastTurn: string | null = null
  #stopCommits: () => void = () => undefined
  #lookDue = false
  #seenRevision = -1
  /** True while it waits with everything sent. */
  #isCaughtUp = false

  constructor(deps: AttachmentDeps, session: string, follower: Follower) {
    this.session = session
    this.#deps = deps
    this.#follower = follower
  }

  /** Where the client is, for its next connection; null before the first turn. */
  get position(): string | null {
    return this.#position ? formatSessionPosition(this.#position) : null
  }

  /** Finds where to begin: behind `from`, or with the turn that runs, or with the next one. False when `from` is not in the session any more: what it shows must be read anew. */
  async begin(session: ChatSession, from: SessionPosition | undefined): Promise<boolean> {
    const turns = await this.#turns(session)
    const active = activeTurn(session)
    if (from && turns.includes(from.turn)) {
      this.#position = from
      this.#start(from.turn, from.at)
      return true
    }
    this.#lastTurn = turns.findLast((turn) => turn !== active) ?? null
    if (this.#lastTurn !== null) this.#position = { turn: this.#lastTurn, at: ORIGIN }
    return from === undefined
  }

  /** Follows until `close`, or until the session is gone. Rejects when the client is. */
  async follow(): Promise<void> {
    const stop = this.#deps.news.on(this.session, () => this.#news())
    let isAway = false
    try {
      while (!this.#abort.signal.aborted) {
        const version = this.#version
        try {
          const isBusy = await this.#advance()
          isAway = false
          if (isBusy === 'gone') return
          if (isBusy === 'more') continue
        } catch (error) {
          if (!(error instanceof UnavailableError)) throw error
          // What is stored is told when the store is back; the client need do nothing.
          if (!isAway) await this.#follower.deliver(errorFrame(error.code, error.message, { session_id: this.session, position: this.position }))
          isAway = true
        }
        this.#isCaughtUp = !isAway
        await this.#changed(version)
        this.#isCaughtUp = false
      }
    } finally {
      stop()
      this.#leaveTurn()
    }
  }

  close(): void {
    this.#abort.abort()
    this.#wake?.()
  }

  /** Does what there is to do; `more` when there may be more at once. */
  async #advance(): Promise<'more' | 'wait' | 'gone'> {
    if (this.#turn) return this.#streamTurn(this.#turn)
    const session = await this.#deps.conversations.look(this.session)
    if (!session) {
      await this.#follower.deliver({
        type: 'session_status',
        content: 'deleted',
        data: { session_id: this.session, status: 'deleted', position: this.position },
      })
      return 'gone'
    }
    if (session.revision === this.#seenRevision) return 'wait'
    const turns = await this.#turns(session)
    const at = this.#lastTurn === null ? -1 : turns.indexOf(this.#lastTurn)
    // The last one that was followed may have been undone: then only what runs now is news.
    const next = this.#lastTurn !== null && at === -1 ? activeTurn(session) : turns[at + 1]
    if (next === undefined || next === null || next === this.#lastTurn) {
      this.#seenRevision = session.revision
      return 'wait'
    }
    this.#start(next, ORIGIN)
    await this.#tellStart(next)
    return 'more'
  }

  #start(fid: string, from: Position): void {
    this.#leaveTurn()
    // Text is heard before the first read too: of what is said in between nothing is missing.
    this.#turn = { fid, frames: new TurnFrames(this.session, fid), cursor: ORIGIN, from, live: this.#follower.live ? this.#listen(fid) : null }
    if (!this.#position || this.#position.turn !== fid) this.#position = { turn: fid, at: ORIGIN }
    // Heard from before the first read on, so that nothing falls between reading and waiting.
    this.#stopCommits = this.#deps.wakeups.onCommit(fid, () => this.#news())
  }

  async #streamTurn(turn: FollowedTurn): Promise<'more' | 'wait'> {
    const page = await this.#deps.reads.read(turn.fid, turn.cursor)
    for (const record of page.records) {
      // Frames follow from all events; only those behind where the client is are sent.
      const frames = turn.frames.take(record)
      turn.live?.preview.take(record, turn.frames.writing)
      turn.cursor = { epoch: record.epoch, seq: record.seq }
      if (comparePositions(record, turn.from) <= 0) continue
      for (const frame of frames) await this.#follower.deliver(frame)
      this.#position = { turn: turn.fid, at: turn.cursor }
    }
    if (!page.caughtUp) return 'more'
    if (!turn.frames.isOver) {
      this.#offerText(turn)
      if (!this.#lookDue) return 'wait'
      this.#lookDue = false
      const session = await this.#deps.conversations.look(this.session)
      if (session?.turn?.fid === turn.fid) return 'wait'
      // The turn is over for the session, and its run will say no more.
      const again = await this.#deps.reads.read(turn.fid, turn.cursor)
      if (again.records.length > 0) return 'more'
      await this.#follower.deliver(withPosition(turn.frames.lost(), this.position))
    }
    this.#leaveTurn()
    this.#lastTurn = turn.fid
    this.#seenRevision = -1
    return 'more'
  }

  #leaveTurn(): void {
    this.#stopCommits()
    this.#stopCommits = () => undefined
    this.#turn?.live?.stop()
    this.#turn?.live?.heard.release()
    this.#turn = undefined
  }

  #listen(fid: string): Preview {
    const heard = this.#deps.words.take(fid)
    // Only while everything stored is sent: else it goes out behind that.
    const stop = heard.onMore(() => this.#turn && this.#isCaughtUp && this.#offerText(this.#turn))
    return { preview: new LivePreview(heard), heard, stop }
  }

  /** What is said and not stored yet. A client that is behind does without: the chunk brings it. */
  #offerText({ live, frames }: FollowedTurn): void {
    const piece = live?.preview.next()
    if (live && piece && this.#follower.offer(withPosition(frames.delta(piece), this.position))) live.preview.sent(piece)
  }

  async #tellStart(turn: string): Promise<void> {
    const messages = await this.#messages()
    const first = messages.findIndex((message) => message['turn'] === turn)
    const said = messages.slice(0, first === -1 ? undefined : first).findLast(({ role }) => role === 'user')
    const data = { session_id: this.session, turn_id: turn, stream_id: turn, status: 'running', message: (said ?? null) as Json, position: this.position }
    await this.#follower.deliver({ type: 'session_status', content: 'running', data })
  }

  /** The turns of the session in order, the one that runs last. */
  async #turns(session: ChatSession): Promise<string[]> {
    const active = activeTurn(session)
    const said = (await this.#messages()).map((message) => message['turn']).filter((turn) => typeof turn === 'string')
    return [...new Set([...said.filter((turn) => turn !== active), ...(active === null ? [] : [active])])]
  }

  async #messages(): Promise<readonly ChatMessage[]> {
    return (await this.#deps.store.sessions.read(this.session, { limit: MESSAGES_MAX }))?.messages ?? []
  }

  #news(): void {
    this.#version += 1
    this.#wake?.()
  }

  /** Resolves at news of the session or of its turn, after a while by itself, and at the end. */
  #changed(version: number): Promise<void> {
    if (version !== this.#version || this.#abort.signal.aborted) return Promise.resolve()
    const waitMs = this.#deps.lookAgainMs * (this.#turn ? 1 : IDLE_TIMES) * (0.6 + 0.8 * Math.random())
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer)
        this.#wake = undefined
        resolve()
      }
      const timer = setTimeout(() => {
        this.#lookDue = true
        done()
      }, waitMs)
      timer.unref()
      this.#wake = done
    })
  }
}

function activeTurn({ turn }: ChatSession): string | null {
  return turn?.kind === 'chat' ? turn.fid : null
}

function withPosition(frame: Frame, position: string | null): Frame {
  return { ...frame, data: { ...frame.data, position } }
}
