import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Authenticator } from './auth/authenticator.ts'
import type { Passwords } from './auth/passwords.ts'
import type { Action, Principal } from './auth/permissions.ts'
import type { SignIn } from './auth/sign-in.ts'
import type { Conversations } from './chat/conversations.ts'
import type { PanelFiles } from './files/panel-files.ts'
import type { PanelDeps, PanelSettings } from './options.ts'
import type { Provider } from './providers/provider.ts'
import type { DelayWatch } from './server/delay-watch.ts'
import type { Metrics } from './server/metrics.ts'
import type { Readiness } from './server/readiness.ts'
import type { Endings } from './tail/endings.ts'
import type { LiveStreams } from './tail/live-streams.ts'
import type { RunFeed } from './tail/run-feed.ts'
import type { Tickets } from './sockets/tickets.ts'
import type { Tails } from './tail/tails.ts'
import type { Wakeups } from './tail/wakeups.ts'
import type { SigningKeys } from './tokens/signing-keys.ts'
import type { TokenSignIn } from './tokens/token-sign-in.ts'
import type { WebhookSender } from './webhooks/sender.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What a caller must be allowed to do; `public` routes ask nobody. Every route of the API says one. */
    access?: Action | 'public'
    /** The body may be long and come slowly: it is not cut off after a minute. */
    streams?: boolean
  }
  interface FastifyRequest {
    principal: Principal | null
    /** Whom a sign-in turned out to be, for the audit log. */
    actor: string | null
    /** The entry of this request in the audit log, once it is being written. */
    deed: Promise<void> | null
  }
  interface FastifyReply {
    /** Puts on record what was done so far: for a deed that is done long before its answer goes out. */
    noteDeed(): void
  }
}

/** The server with zod schemas. */
export type App = FastifyInstance<RawServerDefault, IncomingMessage, ServerResponse, FastifyBaseLogger, ZodTypeProvider>

/** What the routes work with: the dependencies and the panel's own parts. */
export type PanelContext = Omit<PanelDeps, 'settings'> & {
  readonly settings: PanelSettings
  readonly auth: Authenticator
  readonly passwords: Passwords
  readonly signIn: SignIn
  /** The providers that are set up. */
  readonly providers: readonly Provider[]
  readonly signingKeys: SigningKeys
  readonly tokens: TokenSignIn
  readonly tickets: Tickets
  readonly wakeups: Wakeups
  readonly metrics: Metrics
  readonly ready: () => Promise<Readiness>
  /** Since when events wait. */
  readonly delay: DelayWatch
  readonly tails: Tails
  readonly streams: LiveStreams
  readonly feed: RunFeed
  readonly endings: Endings
  readonly files: PanelFiles
  readonly conversations: Conversations
  /** Sends what is noted for webhooks. */
  readonly webhooks: Pick<WebhookSender, 'wake'>
  /** True as soon as a shutdown has begun. */
  readonly closing: () => boolean
}

/** Registers some routes. */
export type Routes = (app: App, context: PanelContext) => void
