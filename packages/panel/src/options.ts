import type { CheckpointManager } from '@koco/checkpoints'
import { defaultFileLimits, type Contents, type FileContents, type Launcher, type Schedules, type Workspaces } from '@koco/flow'
import type { AdminStore, ExecutionStore, FlowEntry } from '@koco/storage'
import type { ConsumerStatus, LeaseCounter, SignalBus } from '@koco/transport'
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import type { SecretHash } from './auth/secrets.ts'
import { LIST_PRICES } from './chat/list-prices.ts'
import type { Price } from './chat/prices.ts'
import type { SignUp } from './providers/accounts.ts'
import type { GitHubSettings } from './providers/github.ts'
import type { OidcSettings } from './providers/oidc.ts'
import { WEBHOOK_DEFAULTS, type WebhookSettings } from './webhooks/deliver.ts'

/** What the panel is told by its configuration. Sizes in bytes, times as their names say. */
export type PanelSettings = {
  /** Where browsers reach the panel. On https the session cookie is `__Host-` and Secure. */
  readonly publicUrl: string
  /** `off`: everybody is the operator `admin`; only while listening on loopback. */
  readonly auth: 'on' | 'off'
  /** What somebody becomes who signs in with a provider and has no account here. */
  readonly signUp: SignUp
  /** Sign-in with GitHub, or null. */
  readonly github: GitHubSettings | null
  /** Sign-in with an OpenID provider, or null. */
  readonly oidc: OidcSettings | null
  /** Other origins that may call the API from a browser, each `scheme://host[:port]`. */
  readonly corsOrigins: readonly string[]
  /** Addresses or networks of the proxies in front, whose X-Forwarded-For counts. Empty: none. */
  readonly trustedProxies: readonly string[]
  /** What the address of a run's workflow in Temporal's own page begins with; the fid follows. Null: runs have no link there. */
  readonly workflowUrl: string | null
  /** The largest request body. */
  readonly bodyBytesMax: number
  /** Open live streams of one user, and of all. */
  readonly streamsPerUserMax: number
  readonly streamsMax: number
  /** Open sockets of one user in the whole installation, and of all in this process. */
  readonly socketsPerUserMax: number
  readonly socketsMax: number
  /** How long a socket may be open before its client says who it is. */
  readonly authFirstMs: number
  /** How often sockets are pinged; one that did not answer the last is cut. */
  readonly pingMs: number
  /** A live client that takes nothing for so long is dropped; it resumes by its cursor. */
  readonly blockedMsMax: number
  /** The longest that `Prefer: wait` is honoured. */
  readonly waitSMax: number
  /** How long the answer to "who is this" may be old; a revocation in this process counts at once. */
  readonly principalTtlMs: number
  /** How often tails and waiting requests look into the store by themselves, for what a lost wake-up missed. */
  readonly lookAgainMs: number
  /** How often an open stream asks again whether its reader may still read. */
  readonly recheckMs: number
  /** The largest file that people upload or runs write. */
  readonly fileBytesMax: number
  /** All files that one run is given, or makes, together; and how many they may be. */
  readonly runBytesMax: number
  readonly filesMax: number
  /** An upload to which nothing was added for so long is taken away. */
  readonly uploadExpiresS: number
  /** The flow that answers in conversations that name none, and the one that makes long ones shorter. */
  readonly chatFlow: string
  readonly compressFlow: string
  /** What models cost. */
  readonly prices: readonly Price[]
  /** How webhooks are sent. */
  readonly webhooks: WebhookSettings
  /** How long entries of the audit log are kept; 0: for ever. */
  readonly auditDays: number
}

/** What a setting is when nobody says. */
export const PANEL_DEFAULTS: PanelSettings = {
  publicUrl: 'http://localhost:3370',
  auth: 'on',
  signUp: 'viewer',
  github: null,
  oidc: null,
  corsOrigins: [],
  trustedProxies: [],
  workflowUrl: null,
  bodyBytesMax: 1024 * 1024,
  streamsPerUserMax: 256,
  streamsMax: 2_000,
  socketsPerUserMax: 3,
  socketsMax: 10_000,
  authFirstMs: 10_000,
  pingMs: 30_000,
  blockedMsMax: 10_000,
  waitSMax: 300,
  principalTtlMs: 5_000,
  lookAgainMs: 3_000,
  recheckMs: 15_000,
  ...defaultFileLimits,
  uploadExpiresS: 86_400,
  chatFlow: 'chat',
  compressFlow: 'chat-compress',
  prices: LIST_PRICES,
  webhooks: WEBHOOK_DEFAULTS,
  auditDays: 365,
}

/** The flows that this process can start by itself; empty in a panel that only launches elsewhere. Asked at each request, so it may change. */
export type LocalFlows = { list(): readonly FlowEntry[] }

/** A request that was answered, for traces. `traceparent` is what the caller sent; `location` what the answer named as made. */
export type AnsweredRequest = {
  readonly id: string
  readonly method: string
  readonly route: string
  readonly status: number
  readonly seconds: number
  readonly traceparent: string | undefined
  readonly location: string | undefined
}

/** Everything that the panel stands on; it opens and closes none of these. */
export type PanelDeps = {
  readonly store: ExecutionStore
  readonly admin: AdminStore
  readonly launcher: Launcher
  readonly schedules: Schedules
  readonly catalog: LocalFlows
  readonly signals: SignalBus
  /** Counts connections in the whole installation. */
  readonly leases: LeaseCounter
  /** What is stored of secrets; the same in every process over one admin store. */
  readonly hashSecret: SecretHash
  /** Throws UnavailableError when runs could not write events now; a part of readiness. */
  readonly checkTransport: () => Promise<void>
  /** Who carries events from the transport into the store, and how far behind they are. Throws UnavailableError. */
  readonly consumers: () => Promise<readonly ConsumerStatus[]>
  /** Where uploads and the files of runs are. */
  readonly uploadDir: string
  /** Where large results of steps lie. */
  readonly contents: Contents
  /** Where the content of large files of runs lies. */
  readonly fileContents: FileContents
  /** Copies of sessions, to go back to. */
  readonly checkpoints: CheckpointManager
  /** What sessions work on. */
  readonly workspaces: Workspaces
  /** The built web page, or null when there is none. */
  readonly webDir: string | null
  readonly settings: Partial<PanelSettings>
  /** Milliseconds since 1970. */
  readonly clock: () => number
  readonly log: Logger
  readonly registry: Registry
  readonly version: string
  /** Told of each request that was answered. */
  readonly onAnswer?: (request: AnsweredRequest) => void
}
