import type { Json } from '@koco/core'

/** A message of a conversation, as its session holds it. */
export type Message = { readonly [field: string]: Json }

/** Named values of a session: its title, its model, options such as a temperature. */
export type SessionState = { readonly [name: string]: Json }

/** What a checkpoint copies of a session. `position`: how far its conversation is. `record`: what else belongs to it and is copied whole. `workspace`: the folder of its files, null when it has none. */
export type SessionCopy = {
  readonly id: string
  readonly user: string
  readonly position: number
  readonly messages: readonly Message[]
  readonly state: SessionState
  readonly record: Json
  readonly workspace: string | null
  /** A turn is running: it can be copied, but not replaced. */
  readonly busy: boolean
}

/** A session made from a copy. `from`: the session that was copied. */
export type NewSession = Omit<SessionCopy, 'position' | 'busy' | 'workspace'> & { readonly from: string }

/** What a turn that is not in a copy has left: steps that would run again, questions that are open. */
export type Pending = { readonly steps: readonly string[]; readonly locks: readonly string[] }

/** What checkpoints need of sessions. Whoever wires them gives it. */
export interface CheckpointSessions {
  /** One snapshot of a session; undefined for an unknown one. */
  read(id: string): Promise<SessionCopy | undefined>
  /** An id that no session has, `id` when it is given and free, and the folder that its files will be in; nothing else is made. RefusedError `session_exists`. */
  place(user: string, id?: string): Promise<{ readonly id: string; readonly workspace: string }>
  create(session: NewSession): Promise<void>
  /** Puts a copy in the place of what the session says now. RefusedError `session_busy`. */
  replace(id: string, copy: Pick<SessionCopy, 'messages' | 'state' | 'record'>): Promise<void>
  /** What the turns have left that said the messages after the first `common`, and the one that is running. */
  pending(id: string, common: number): Promise<Pending>
}
