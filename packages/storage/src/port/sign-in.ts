import type { NewUser } from './users.ts'

/** The account of a user at somebody else who vouches for them: `issuer` is `github` or the address of an OpenID provider, `subject` what never changes there. `login` and `email` as last told. */
export type Identity = {
  readonly issuer: string
  readonly subject: string
  readonly userId: string
  readonly login: string
  readonly email: string
  readonly createdAt: number
  readonly lastLoginAt: number
}

/** The accounts at other providers. Times are unix seconds. */
export interface IdentityStore {
  get(issuer: string, subject: string): Promise<Identity | undefined>
  /** Keeps it, and makes its user when one is given: both or neither. RefusedError `user_exists` or `identity_exists` for what already exists. */
  create(identity: Identity, user?: NewUser): Promise<void>
  /** A sign-in through it: what the provider calls them now, and when; the time never goes back. */
  seen(identity: Pick<Identity, 'issuer' | 'subject' | 'login' | 'email'>, at: number): Promise<void>
  list(userId: string): Promise<readonly Identity[]>
}

/** One sign-in of a program: its refresh tokens follow one another. Times are unix seconds. */
export type TokenFamily = {
  readonly id: string
  readonly userId: string
  readonly createdAt: number
  /** When its newest refresh token ends. */
  readonly expiresAt: number
  readonly agent: string
}

/** A sign-in of a program as lists show it; `usedAt`: when it last got tokens. */
export type ListedFamily = TokenFamily & { readonly usedAt: number }

/** What became of a refresh token that was shown. `reused`: it had been exchanged before, so its family is revoked now. */
export type RotateOutcome = { readonly outcome: 'rotated' | 'reused'; readonly family: TokenFamily } | { readonly outcome: 'unknown' }

/** The sign-ins of programs. Only hashes of refresh tokens are stored. */
export interface TokenStore {
  /** Begins a family with its first refresh token; families that ended are forgotten. */
  create(family: TokenFamily, refreshHash: string): Promise<void>
  /** A family that is neither revoked nor over. */
  get(id: string, at: number): Promise<TokenFamily | undefined>
  /** Exchanges a refresh token for the next one, each one time only. */
  rotate(refreshHash: string, next: { readonly hash: string; readonly at: number; readonly expiresAt: number }): Promise<RotateOutcome>
  /** The family of a refresh token, used or not. */
  familyOf(refreshHash: string): Promise<TokenFamily | undefined>
  /** Ends a family with all its tokens; false when there was none. */
  revoke(id: string): Promise<boolean>
  revokeOf(userId: string): Promise<void>
  /** A user's, those used last first; also those that are over and not yet forgotten. */
  list(userId: string): Promise<readonly ListedFamily[]>
}

/** A key that signs access tokens. `sealed` holds the private key in a form that only the installation can read. Times are unix seconds. */
export type SigningKey = { readonly kid: string; readonly sealed: string; readonly createdAt: number; readonly signsFrom: number }

/** The keys that sign access tokens, oldest first. */
export interface SigningKeyStore {
  list(): Promise<readonly SigningKey[]>
  /** Keeps it; nothing for one that is there. */
  add(key: SigningKey): Promise<void>
  delete(kids: readonly string[]): Promise<void>
}

/** A one-time pass to a socket for who cannot send headers. Only its hash is stored. `via` and `credential` say by what its holder had signed in. */
export type Ticket = { readonly hash: string; readonly userId: string; readonly via: string; readonly credential: string; readonly expiresAt: number }

/** The tickets to sockets. */
export interface TicketStore {
  /** Keeps it; tickets that ended before `at` are forgotten. */
  create(ticket: Ticket, at: number): Promise<void>
  /** Gives it out one time, to one process, unless it is over. */
  redeem(hash: string, at: number): Promise<Ticket | undefined>
}
