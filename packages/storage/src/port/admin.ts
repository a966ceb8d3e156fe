import type { AuditEntry } from '@koco/core/api'
import type { Page } from './page.ts'
import type { IdentityStore, SigningKeyStore, TicketStore, TokenStore } from './sign-in.ts'
import type { NewUser, User } from './users.ts'
import type { ViewStore } from './views.ts'

/** A signed-in browser. Only the hash of its secret is stored. Times are unix seconds. */
export type Session = {
  readonly idHash: string
  readonly userId: string
  readonly createdAt: number
  readonly seenAt: number
  readonly expiresAt: number
  readonly agent: string
}

/** A program's key. Only the hash of its secret is stored; `prefix` is what people recognise it by. */
export type ApiKey = {
  readonly id: string
  readonly userId: string
  readonly name: string
  readonly prefix: string
  readonly hash: string
  readonly createdAt: number
  readonly usedAt: number | null
}

/** What the API tells of an entry is all that there is of it. */
export type { AuditEntry }

/** What a list of entries is filtered by; `action` may be the beginning of some: `run` stands for `run.start` and `run.cancel`. Times are unix seconds, `to` exclusive. Newest first. */
export type AuditQuery = {
  readonly actor?: string
  readonly action?: string
  readonly target?: string
  readonly from?: number
  readonly to?: number
  readonly cursor?: string
  readonly limit: number
}

/** The audit log: entries are added, and taken away by age; nothing changes one. */
export interface AuditStore {
  add(entries: readonly Omit<AuditEntry, 'id'>[]): Promise<void>
  list(query: AuditQuery): Promise<Page<AuditEntry>>
  /** Takes away what is older; says how many. */
  prune(before: number): Promise<number>
}

/** The admin store: who may sign in. SQLite file or Postgres. */
export interface AdminStore {
  readonly users: {
    /** RefusedError `user_exists` when name or address is taken. */
    create(user: NewUser): Promise<void>
    get(id: string): Promise<User | undefined>
    /** By name or address, case-insensitive. */
    find(login: string): Promise<User | undefined>
    list(): Promise<readonly User[]>
    update(id: string, change: Partial<Pick<User, 'email' | 'role' | 'active' | 'passwordHash'>>): Promise<boolean>
    /** They signed in; the time never goes back. */
    loggedIn(id: string, at: number): Promise<void>
  }
  readonly sessions: {
    create(session: Session): Promise<void>
    get(idHash: string): Promise<Session | undefined>
    touch(idHash: string, seenAt: number): Promise<void>
    delete(idHash: string): Promise<void>
    deleteOf(userId: string): Promise<void>
    list(userId: string): Promise<readonly Session[]>
  }
  readonly keys: {
    create(key: ApiKey): Promise<void>
    byHash(hash: string): Promise<ApiKey | undefined>
    touch(id: string, usedAt: number): Promise<void>
    list(userId: string | null): Promise<readonly ApiKey[]>
    delete(id: string, userId: string | null): Promise<boolean>
  }
  readonly identities: IdentityStore
  readonly tokens: TokenStore
  readonly signingKeys: SigningKeyStore
  readonly tickets: TicketStore
  readonly audit: AuditStore
  readonly views: ViewStore
  check(): Promise<void>
  close(): Promise<void>
}
