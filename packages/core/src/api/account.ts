/** What somebody may do; each role has the rights of those before it. */
export type Role = 'viewer' | 'user' | 'operator'

/** Who is signed in, and by what. `auth` is `off` when the panel listens on loopback without sign-in: everybody is the operator then. */
export type Me = {
  readonly user: { readonly id: string; readonly name: string; readonly email: string; readonly role: Role }
  readonly via: 'session' | 'key' | 'token' | 'off'
  readonly auth: 'on' | 'off'
  readonly version: string
}

/** Somebody who may sign in. Times are unix seconds. */
export type User = {
  readonly id: string
  readonly name: string
  readonly email: string
  readonly role: Role
  readonly active: boolean
  readonly created_at: number
  readonly last_login_at: number | null
}

/** A program's key; its text was shown when it was made. `user`: its owner's name. */
export type ApiKey = {
  readonly id: string
  readonly name: string
  readonly prefix: string
  readonly user: string | null
  readonly created_at: number
  readonly used_at: number | null
}

/** A signed-in browser of the person who asks. */
export type BrowserSession = {
  readonly id: string
  readonly agent: string
  readonly created_at: number
  readonly seen_at: number
  readonly expires_at: number
  readonly current: boolean
}

/** A program that is signed in by tokens in the name of the person who asks. `used_at`: when it last got tokens. */
export type SignIn = {
  readonly id: string
  readonly agent: string
  readonly created_at: number
  readonly used_at: number
  readonly expires_at: number
  readonly current: boolean
}

/** What people may sign in with: passwords, and these providers; `start` is the address that begins the sign-in in the browser. */
export type Providers = {
  readonly password: true
  readonly providers: readonly { readonly id: 'github' | 'oidc'; readonly name: string; readonly start: string }[]
}
