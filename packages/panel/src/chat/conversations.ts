import { isEnded, newFid, ORIGIN, RefusedError, type Json } from '@koco/core'
import type { Launcher } from '@koco/flow'
import { textOfContent, type ChatMessage, type ChatSession, type CommandOutcome, type ExecutionStore, type SessionLabels } from '@koco/storage'
import { randomBytes } from 'node:crypto'
import type { Wakeups } from '../tail/wakeups.ts'
import { TurnFold } from './settle.ts'

/** Conversations whose turns are runs: starts them, and brings what they said into the transcript. */
export type Conversations = {
  /** The session, a turn of it that is over brought to its end, the next begun when something waits. Undefined for an unknown one. */
  look(id: string): Promise<ChatSession | undefined>
  /** Starts a turn. RefusedError of the launcher (unknown flow, bad inputs): then nothing was said. */
  start(session: ChatSession, turn: StartTurn): Promise<CommandOutcome>
  /** Starts the job that makes the talk shorter. */
  compress(session: ChatSession, flow: string, keep: number): Promise<CommandOutcome>
  /** What the running turn has said so far. */
  soFar(fid: string): Promise<readonly ChatMessage[]>
  /** Calls `listener` when a turn of a session began or was brought to its end here; the result ends it. */
  onTurn(listener: (id: string, fid: string, what: 'started' | 'ended') => void): () => void
  close(): void
}

/** What a person says. `expectedRevision`: only if the session is at this revision. */
export type StartTurn = { readonly message: ChatMessage; readonly labels: Partial<SessionLabels>; readonly expectedRevision?: number | undefined }

/** What conversations stand on. `flow` answers in sessions that name none; where it is not served, the first flow that has the tag `chat`. */
export type ConversationDeps = {
  readonly store: Pick<ExecutionStore, 'sessions' | 'runs' | 'reader' | 'flows'>
  readonly launcher: Launcher
  readonly wakeups: Wakeups
  readonly flow: string
  readonly lookAgainMs: number
  /** A turn without a run is started again after so long: whoever began it has died in between. */
  readonly launchMs?: number
  readonly clock: () => number
  /** Told once of every turn that ended in an error. */
  readonly onFailed?: (sessionId: string, error: string) => void
  readonly log: { warn(data: object, text: string): void }
  /** Told when a turn has come to a point; for crash tests, which end the process there. */
  readonly reached?: (point: TurnPoint) => void
}

/** Where a process may die on the way of a turn into its transcript. */
export type TurnPoint = 'begun' | 'launched' | 'folded' | 'ended' | 'next begun'

const LAUNCH_MS = 15_000
const PAGE = 1_000
/** So much of what a person said goes with the run, to tell it from others; the whole stays in the session. */
const SAID_CHARS_MAX = 200

/**
 * A session is held by the run that its log names. It is let go by the truth about that run: whoever looks at a session whose run is over folds the run's timeline and appends the end of the turn, which counts once
 * whoever does it and how often. That happens at the commit of the run's end, at every look, and in a sweep, so that nothing that dies in between leaves a session held.
 */
export function createConversations(deps: ConversationDeps): Conversations {
  return new TurnKeeper(deps)
}

class TurnKeeper implements Conversations {
  readonly #deps: ConversationDeps
  readonly #held = new Map<string, string>()
  readonly #settling = new Map<string, Promise<ChatSession | undefined>>()
  readonly #listeners = new Set<(id: string, fid: string, what: 'started' | 'ended') => void>()
  readonly #timer: NodeJS.Timeout
  readonly #stop: () => void
  #sweeping = false

  constructor(deps: ConversationDeps) {
    this.#deps = deps
    this.#stop = deps.wakeups.onAnyCommit((commit) => {
      if (!commit) return this.#sweepOrWarn()
      const id = commit.ended ? this.#held.get(commit.fid) : undefined
      if (id !== undefined) this.#lookOrWarn(id)
    })
    this.#timer = setInterval(() => this.#sweepOrWarn(), deps.lookAgainMs)
    this.#timer.unref()
    this.#sweepOrWarn()
  }

  async look(id: string): Promise<ChatSession | undefined> {
    const session = await this.#deps.store.sessions.get(id)
    return session && needsCare(session) ? await this.#settleOnce(session) : session
  }

  async start(session: ChatSession, { message, labels, expectedRevision }: StartTurn): Promise<CommandOutcome> {
    const fid = this.#newFid()
    const command = { do: 'start-turn', fid, kind: 'chat', message, labels } as const
    const begun = await this.#deps.store.sessions.change(session.id, command, { at: this.#now(), expectedRevision })
    this.#deps.reached?.('begun')
    if (begun.outcome === 'done') await this.#launchOrAbandon(begun.session, { said: message })
    return begun
  }

  async compress(session: ChatSession, flow: string, keep: number): Promise<CommandOutcome> {
    const command = { do: 'start-turn', fid: this.#newFid(), kind: 'compress', labels: {} } as const
    const begun = await this.#deps.store.sessions.change(session.id, command, { at: this.#now() })
    if (begun.outcome === 'done') await this.#launchOrAbandon(begun.session, { job: { flow, keep } })
    return begun
  }

  async soFar(fid: string): Promise<readonly ChatMessage[]> {
    return (await this.#fold(fid)).messages
  }

  onTurn(listener: (id: string, fid: string, what: 'started' | 'ended') => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  close(): void {
    clearInterval(this.#timer)
    this.#stop()
    this.#listeners.clear()
  }

  async #launchOrAbandon(session: ChatSession, known: Known): Promise<void> {
    try {
      await this.#launch(session, known)
    } catch (error) {
      // After any other error nobody knows whether the run was made: the sweep finds out.
      if (error instanceof RefusedError && session.turn)
        await this.#deps.store.sessions.change(session.id, { do: 'abandon-turn', fid: session.turn.fid }, { at: this.#now() })
      throw error
    }
  }

  async #launch(session: ChatSession, { said, job }: Known = {}): Promise<void> {
    const { id, user, flow, turn, model } = session
    if (!turn) return
    const words = job ? session.title : saidInShort(said ?? (await this.#saidIn(id, turn.revision)))
    const inputs: Json = { said: words, session_id: id, revision: turn.revision, ...(model !== null && { model }), ...(job && { keep: job.keep }) }
    const name = job?.flow ?? flow ?? (await this.#standardFlow())
    await this.#deps.launcher.start({ flow: name, inputs, user, idempotencyKey: `turn ${turn.fid}`, fid: turn.fid })
    this.#deps.reached?.('launched')
    this.#note(id, turn.fid, 'started')
  }

  /** What a turn that began somewhere else answers. */
  async #saidIn(id: string, revision: number): Promise<ChatMessage | undefined> {
    return (await this.#deps.store.sessions.read(id, { revision, limit: 1 }))?.messages[0]
  }

  async #standardFlow(): Promise<string> {
    const { flow, store } = this.#deps
    const served = await store.flows.list()
    return served.some(({ name }) => name === flow) ? flow : (served.find(({ tags }) => tags.includes('chat'))?.name ?? flow)
  }

  #settleOnce(session: ChatSession): Promise<ChatSession | undefined> {
    const under = this.#settling.get(session.id)
    if (under) return under
    const settling = this.#settle(session).finally(() => this.#settling.delete(session.id))
    this.#settling.set(session.id, settling)
    return settling
  }

  /** Ends the turn when its run is over, starts the run when it never came to be, and gives the session as it then is. */
  async #settle(session: ChatSession): Promise<ChatSession | undefined> {
    const { turn, id } = session
    const { store } = this.#deps
    if (!turn) {
      await this.#next(id)
      return await store.sessions.get(id)
    }
    const run = await store.runs.get(turn.fid)
    if (run && !isEnded(run.status)) {
      this.#held.set(turn.fid, id)
      return session
    }
    if (!run && this.#now() - turn.startedAt < (this.#deps.launchMs ?? LAUNCH_MS) / 1000) return session
    if (!run) return await this.#relaunch(session)
    const fold = await this.#fold(turn.fid)
    const steers = turn.kind === 'chat' ? ((await store.sessions.read(id, { limit: 0 }))?.steers ?? []) : []
    const end = turn.kind === 'chat' ? fold.end(run.status, steers) : fold.compressed(run.status)
    this.#deps.reached?.('folded')
    const ended = await store.sessions.change(id, end, { at: this.#now() })
    this.#deps.reached?.('ended')
    this.#note(id, turn.fid, 'ended')
    if (ended.outcome === 'done' && end.end === 'error') this.#deps.onFailed?.(id, run.error ? run.error.message : `turn ${turn.fid} failed`)
    // Whoever was first to end it may have died before this: the next look or sweep does it.
    if (ended.outcome === 'done' && ended.session.queued > 0) await this.#next(id)
    return await store.sessions.get(id)
  }

  /** The message that waits first becomes the next turn. Several may try: the log lets one begin. */
  async #next(id: string): Promise<void> {
    const { sessions } = this.#deps.store
    const begun = await sessions.change(id, { do: 'start-turn', fid: this.#newFid(), kind: 'chat', message: 'next' }, { at: this.#now() })
    this.#deps.reached?.('next begun')
    if (begun.outcome === 'done') await this.#launchOrEnd(begun.session)
  }

  async #relaunch(session: ChatSession): Promise<ChatSession | undefined> {
    // What a job was told is known to nobody any more; it may be asked for again.
    if (session.turn?.kind === 'compress')
      await this.#deps.store.sessions.change(session.id, { do: 'abandon-turn', fid: session.turn.fid }, { at: this.#now() })
    else await this.#launchOrEnd(session)
    return await this.#deps.store.sessions.get(session.id)
  }

  /** Nobody is there to be told of a refusal: the transcript tells it. */
  async #launchOrEnd(session: ChatSession): Promise<void> {
    try {
      await this.#launch(session)
    } catch (error) {
      if (!(error instanceof RefusedError) || !session.turn) throw error
      const { fid } = session.turn
      const message = { id: `${fid}.0`, role: 'assistant', content: '', interrupted: true, end: 'error', error: error.message, turn: fid }
      await this.#deps.store.sessions.change(session.id, { do: 'end-turn', fid, end: 'error', messages: [message], uses: [] }, { at: this.#now() })
    }
  }

  async #fold(fid: string): Promise<TurnFold> {
    const fold = new TurnFold(fid)
    let after = ORIGIN
    for (;;) {
      const page = await this.#deps.store.reader.read(fid, { after, limit: PAGE })
      for (const record of page.records) fold.take(record)
      if (page.caughtUp) return fold
      after = page.scanned
    }
  }

  #note(id: string, fid: string, what: 'started' | 'ended'): void {
    if (what === 'started') this.#held.set(fid, id)
    else this.#held.delete(fid)
    for (const listener of this.#listeners) listener(id, fid, what)
  }

  #lookOrWarn(id: string): void {
    this.look(id).catch((error: unknown) => this.#deps.log.warn({ err: error, session: id }, 'the end of a turn could not be stored; it is tried again'))
  }

  #sweepOrWarn(): void {
    if (this.#sweeping) return
    this.#sweeping = true
    this.#sweep()
      .catch((error: unknown) => this.#deps.log.warn({ err: error }, 'the sessions that turns hold could not be looked at; they are looked at again'))
      .finally(() => (this.#sweeping = false))
  }

  async #sweep(): Promise<void> {
    let after: string | null = null
    for (;;) {
      const held: readonly ChatSession[] = await this.#deps.store.sessions.held(after, PAGE)
      for (const session of held)
        await this.#settleOnce(session).catch((error: unknown) => this.#deps.log.warn({ err: error, session: session.id }, 'a turn could not be looked at'))
      after = held.at(-1)?.id ?? null
      if (held.length < PAGE) return
    }
  }

  #newFid(): string {
    return newFid(this.#deps.clock(), randomBytes(8))
  }

  #now(): number {
    return this.#deps.clock() / 1000
  }
}

/** What whoever begins a turn knows without a look into the session. */
type Known = { readonly said?: ChatMessage; readonly job?: { readonly flow: string; readonly keep: number } }

function saidInShort(message: ChatMessage | undefined): string {
  const text = textOfContent(message?.content ?? '')
    .replaceAll(/\s+/g, ' ')
    .trim()
  return text.length <= SAID_CHARS_MAX ? text : `${text.slice(0, SAID_CHARS_MAX - 1).toWellFormed()}…`
}

function needsCare({ turn, queued }: ChatSession): boolean {
  return turn !== null || queued > 0
}
