import { parseFlowLimits } from '@koco/panel'
import { parseDatabaseUrl } from '@koco/storage'
import { z } from 'zod'

/** What a setting is besides its type: the variable (without `KODO_`), the line of help, and what else the forms need. */
export type SettingMeta = {
  readonly variable: string
  readonly help: string
  /** Command line flag, without dashes; the variable in kebab case unless given. */
  readonly flag?: string
  /** May be read from a file named by `<VARIABLE>_FILE`, and is never printed. */
  readonly secret?: true
  /** What stands in the table when there is no default value. */
  readonly none?: string
}

const text = z.string().trim().min(1)
const folder = text
const whole = (min: number, max: number) => z.coerce.number().int().min(min).max(max)
const seconds = (min: number, max: number) => z.coerce.number().min(min).max(max)
const url = (...protocols: string[]) =>
  text.refine((value) => protocols.some((protocol) => value.startsWith(`${protocol}://`)), `must start with ${protocols.map((p) => `${p}://`).join(' or ')}`)
const database = text.superRefine((value, issues) => {
  try {
    parseDatabaseUrl(value)
  } catch (error) {
    issues.addIssue(error instanceof Error ? error.message : String(error))
  }
})
const address = url('http', 'https').refine(
  (value) => URL.canParse(value) && new URL(value).pathname === '/',
  'must be http://host:port, or https://host behind a proxy, without a path',
)
const listenAddress = text.regex(/^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+):\d{1,5}$/, 'must be host:port, e.g. 0.0.0.0:3370')
const webAddress = url('http', 'https')
  .refine(URL.canParse, 'must be a web address')
  .transform((value) => value.replace(/\/+$/, ''))
const list = z.string().transform((value) =>
  value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== ''),
)

const isFlowLimits = (value: string) => {
  try {
    parseFlowLimits(value)
    return true
  } catch {
    return false
  }
}

/** Every setting of koco: parsing, defaults, flags, help lines and the table in the README come from here and nowhere else. */
export const settingsSchema = z.object({
  flows: text.optional().meta(about({ variable: 'FLOWS', help: 'Module that exports the flows', none: './flows.ts, in the checkout the examples' })),
  appServer: address
    .default('http://localhost:3370')
    .meta(about({ variable: 'APP_SERVER', flag: 'address', help: 'Where the panel listens, and where browsers and commands find it' })),
  listen: listenAddress.optional().meta(
    about({
      variable: 'LISTEN',
      none: 'that of APP_SERVER',
      help: 'Where the panel listens when that is another address: 0.0.0.0:3370 in a container or behind a proxy',
    }),
  ),
  trustedProxies: list.optional().meta(
    about({
      variable: 'TRUSTED_PROXIES',
      none: 'none',
      help: 'Addresses or networks, separated by commas, of proxies in front of the panel whose X-Forwarded-For counts',
    }),
  ),
  metrics: listenAddress.optional().meta(
    about({
      variable: 'METRICS',
      none: 'off',
      help: 'host:port where a spooler or a worker answers /healthz, /readyz and /metrics; the panel does at its own address',
    }),
  ),
  execDir: folder.default('./data/execution').meta(about({ variable: 'EXEC_DIR', help: 'Folder of the runs and their events, with SQLite' })),
  uploadDir: folder.default('./data/uploads').meta(about({ variable: 'UPLOAD_DIR', help: 'Folder of uploaded files and of the files of runs' })),
  uploadFileMax: whole(1, Number.MAX_SAFE_INTEGER)
    .default(2 ** 30)
    .meta(about({ variable: 'UPLOAD_FILE_MAX', help: 'Largest file that people upload or runs write, in bytes' })),
  uploadRunMax: whole(1, Number.MAX_SAFE_INTEGER)
    .default(4 * 2 ** 30)
    .meta(about({ variable: 'UPLOAD_RUN_MAX', help: 'All files that one run is given, or makes, together, in bytes' })),
  uploadExpires: seconds(60, 365 * 86_400)
    .default(86_400)
    .meta(about({ variable: 'UPLOAD_EXPIRES', help: 'When an upload is taken away that nothing was added to, in seconds' })),
  files: z
    .enum(['folder', 'panel'])
    .default('folder')
    .meta(about({ variable: 'FILES', help: 'Where a worker finds the files of runs: folder (UPLOAD_DIR), or panel (over APP_SERVER with API_KEY)' })),
  workspaceDir: folder.default('./data/workspaces').meta(about({ variable: 'WORKSPACE_DIR', help: 'Folder of the workspaces of sessions' })),
  checkpointDir: folder.default('./data/checkpoints').meta(about({ variable: 'CHECKPOINT_DIR', help: 'Folder of the checkpoints of sessions' })),
  checkpointMax: whole(1, 1_000_000)
    .default(100)
    .meta(about({ variable: 'CHECKPOINT_MAX', help: 'Checkpoints that a session keeps; the oldest go that nobody needs' })),
  checkpointCompression: whole(0, 9)
    .default(6)
    .meta(about({ variable: 'CHECKPOINT_COMPRESSION', help: 'How hard their content is compressed: 0 (not at all) to 9' })),
  checkpointInterval: seconds(1, 86_400)
    .default(300)
    .meta(about({ variable: 'CHECKPOINT_INTERVAL', help: 'From one automatic checkpoint of a session to the next, in seconds' })),
  checkpointOnError: z
    .enum(['on', 'off'])
    .default('on')
    .meta(about({ variable: 'CHECKPOINT_ON_ERROR', help: 'on, or off: whether a turn that fails makes a checkpoint' })),
  blobStore: url('s3')
    .refine((value) => URL.canParse(value) && new URL(value).host !== '', 'must be s3://bucket or s3://bucket/prefix')
    .optional()
    .meta(
      about({
        variable: 'BLOB_STORE',
        none: 'a folder in CHECKPOINT_DIR',
        help: 'Where the content of checkpoints is kept, for several hosts: s3://bucket/prefix',
      }),
    ),
  s3Endpoint: url('http', 'https')
    .optional()
    .meta(about({ variable: 'S3_ENDPOINT', none: "Amazon's", help: 'Address of the S3 server' })),
  s3Region: text.default('us-east-1').meta(about({ variable: 'S3_REGION', help: 'Its region' })),
  s3AccessKeyId: text
    .optional()
    .meta(about({ variable: 'S3_ACCESS_KEY_ID', secret: true, none: 'as the AWS tools find it', help: 'Id of the key for the S3 server' })),
  s3SecretAccessKey: text.optional().meta(about({ variable: 'S3_SECRET_ACCESS_KEY', secret: true, none: 'as the AWS tools find it', help: 'The key itself' })),
  adminDatabase: database
    .default('sqlite:///./data/admin.db')
    .meta(about({ variable: 'ADMIN_DATABASE', secret: true, help: 'Database of users, sessions and keys: sqlite:///… or postgresql://…' })),
  executionDatabase: database
    .optional()
    .meta(about({ variable: 'EXECUTION_DATABASE', secret: true, none: 'SQLite in EXEC_DIR', help: 'Database of runs and events: postgresql://…' })),
  adminEmail: z
    .email()
    .default('admin@example.com')
    .meta(about({ variable: 'ADMIN_EMAIL', help: 'Address of the first operator' })),
  adminPassword: z
    .string()
    .min(8, 'must have at least 8 characters')
    .refine((value) => value.toLowerCase() !== 'admin', 'must not be "admin"')
    .optional()
    .meta(about({ variable: 'ADMIN_PASSWORD', secret: true, none: 'made, printed once', help: 'Password of the first operator, at their creation' })),
  secretKey: z
    .string()
    .min(32, 'must have at least 32 characters')
    .optional()
    .meta(
      about({
        variable: 'SECRET_KEY',
        secret: true,
        none: 'made, kept in the data folder',
        help: 'Key for the hashes of sessions and API keys; another one signs everybody out. Required when the admin database is Postgres',
      }),
    ),
  apiKey: text
    .optional()
    .meta(about({ variable: 'API_KEY', secret: true, none: 'the one that `start` keeps', help: 'Key with which commands sign in to the panel' })),
  auth: z
    .enum(['on', 'off'])
    .default('on')
    .meta(about({ variable: 'AUTH', help: 'on, or off while listening on a loopback address only' })),
  signUp: z
    .enum(['closed', 'viewer', 'user'])
    .default('viewer')
    .meta(
      about({ variable: 'SIGN_UP', help: 'What somebody becomes who signs in with GitHub or OpenID and has no account: nothing (closed), viewer or user' }),
    ),
  githubClientId: text
    .optional()
    .meta(
      about({ variable: 'GITHUB_CLIENT_ID', none: 'none', help: 'OAuth app at GitHub for sign-in; it sends people back to /api/auth/sign-in/github/callback' }),
    ),
  githubClientSecret: text.optional().meta(about({ variable: 'GITHUB_CLIENT_SECRET', secret: true, none: 'none', help: 'Its secret' })),
  githubUrl: webAddress.default('https://github.com').meta(about({ variable: 'GITHUB_URL', help: 'GitHub, or an Enterprise server' })),
  githubApiUrl: webAddress
    .default('https://api.github.com')
    .meta(about({ variable: 'GITHUB_API_URL', help: 'Its API; for an Enterprise server https://host/api/v3' })),
  oidcIssuer: webAddress.optional().meta(
    about({
      variable: 'OIDC_ISSUER',
      none: 'none',
      help: 'OpenID provider for sign-in, found by discovery; it sends people back to /api/auth/sign-in/oidc/callback',
    }),
  ),
  oidcClientId: text.optional().meta(about({ variable: 'OIDC_CLIENT_ID', none: 'none', help: 'The client at that provider' })),
  oidcClientSecret: text.optional().meta(about({ variable: 'OIDC_CLIENT_SECRET', secret: true, none: 'none', help: 'Its secret' })),
  oidcName: text.default('single sign-on').meta(about({ variable: 'OIDC_NAME', help: 'What the sign-in page calls that provider' })),
  wsConnectionsMax: whole(1, 10_000)
    .default(3)
    .meta(about({ variable: 'WS_CONNECTIONS_MAX', help: 'Open WebSocket connections of one user, in all panels together' })),
  corsOrigins: list.optional().meta(about({ variable: 'CORS_ORIGINS', none: 'none', help: 'Origins, separated by commas, whose pages may call the API' })),
  eventTransport: z
    .enum(['memory', 'redis'])
    .default('memory')
    .meta(about({ variable: 'EVENT_TRANSPORT', help: 'memory (one process) or redis' })),
  redisUrl: url('redis', 'rediss')
    .optional()
    .meta(about({ variable: 'REDIS_URL', secret: true, none: 'none', help: 'redis://host:port, required with EVENT_TRANSPORT=redis' })),
  redisStreamPrefix: text.default('kodo:events:').meta(about({ variable: 'REDIS_STREAM_PREFIX', help: 'What the names of the streams start with' })),
  redisConsumerGroup: text.default('kodo-spooler').meta(about({ variable: 'REDIS_CONSUMER_GROUP', help: 'The consumer group of the spoolers' })),
  redisBlockMs: whole(10, 30_000)
    .default(1000)
    .meta(about({ variable: 'REDIS_BLOCK_MS', help: 'Longest wait of a spooler for work in one call, in ms' })),
  redisMaxStreamLen: whole(0, 10_000_000)
    .default(10_000)
    .meta(about({ variable: 'REDIS_MAX_STREAM_LEN', help: 'Acknowledged events that a stream keeps for inspection' })),
  redisBacklogMax: whole(100, 10_000_000)
    .default(50_000)
    .meta(about({ variable: 'REDIS_BACKLOG_MAX', help: 'Events of a run that may wait to be stored before its flow is slowed down' })),
  spoolerName: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, 'must be letters, digits, dots, dashes or underscores')
    .optional()
    .meta(about({ variable: 'SPOOLER_NAME', none: 'the host and the first free number', help: 'Stable name of this spooler among all' })),
  spoolerBatchSize: whole(1, 5000)
    .default(500)
    .meta(about({ variable: 'SPOOLER_BATCH_SIZE', help: 'Events read of one stream at a time' })),
  spoolerBatchTimeout: seconds(0, 10)
    .default(0.01)
    .meta(about({ variable: 'SPOOLER_BATCH_TIMEOUT', help: 'How long events gather while a batch is written, in seconds' })),
  executionMode: z
    .enum(['direct', 'temporal'])
    .default('direct')
    .meta(about({ variable: 'EXECUTION_MODE', help: 'Where flows run: direct (in this process) or temporal' })),
  temporalHost: text.default('localhost:7233').meta(about({ variable: 'TEMPORAL_HOST', help: 'Address of the Temporal server' })),
  temporalTlsCa: text
    .optional()
    .meta(about({ variable: 'TEMPORAL_TLS_CA', none: 'no TLS', help: 'PEM file of the authority that signed the certificate of Temporal; turns TLS on' })),
  temporalTlsCert: text
    .optional()
    .meta(about({ variable: 'TEMPORAL_TLS_CERT', none: 'none', help: 'PEM file of our certificate, where Temporal asks for one (mTLS)' })),
  temporalTlsKey: text.optional().meta(about({ variable: 'TEMPORAL_TLS_KEY', none: 'none', help: 'PEM file of its key' })),
  temporalNamespace: text.default('default').meta(about({ variable: 'TEMPORAL_NAMESPACE', help: 'Its namespace' })),
  temporalTaskQueue: text.default('kodosumi-agents').meta(about({ variable: 'TEMPORAL_TASK_QUEUE', help: 'Its task queue' })),
  temporalWorkflowIdPrefix: z
    .string()
    .default('kodo-')
    .meta(about({ variable: 'TEMPORAL_WORKFLOW_ID_PREFIX', help: 'What workflow ids start with' })),
  temporalUi: address
    .optional()
    .meta(
      about({ variable: 'TEMPORAL_UI', none: 'none', help: "Address of Temporal's own page, http://localhost:8233 say: runs link to their workflow there" }),
    ),
  temporalExecutionTimeout: seconds(1, 10 * 365 * 86_400)
    .optional()
    .meta(about({ variable: 'TEMPORAL_EXECUTION_TIMEOUT', none: 'none', help: 'Longest life of a workflow, in seconds' })),
  lockExpires: seconds(1, 10 * 365 * 86_400)
    .default(10_800)
    .meta(about({ variable: 'LOCK_EXPIRES', help: 'How long a question to people stays open, in seconds, unless the flow says' })),
  auditDays: whole(0, 36_500)
    .default(365)
    .meta(about({ variable: 'AUDIT_DAYS', help: 'Entries of the audit log are taken away when so many days old; 0 keeps them' })),
  retainDays: seconds(0, 36_500)
    .default(365)
    .meta(about({ variable: 'RETAIN_DAYS', help: 'Runs are taken away so many days after their end; 0 keeps them' })),
  retainRuns: whole(0, Number.MAX_SAFE_INTEGER)
    .default(100_000)
    .meta(about({ variable: 'RETAIN_RUNS', help: 'Of runs that are over so many are kept, the newest; 0 keeps all' })),
  retainBytes: whole(0, Number.MAX_SAFE_INTEGER)
    .default(50 * 2 ** 30)
    .meta(about({ variable: 'RETAIN_BYTES', help: 'Of runs that are over so many bytes are kept, events and files; 0 keeps all' })),
  retainFlows: text
    .refine(isFlowLimits, 'must be like nightly:days=7,runs=500;report:bytes=1000000000')
    .optional()
    .meta(about({ variable: 'RETAIN_FLOWS', none: 'none', help: 'Limits of single flows, like nightly:days=7,runs=500;report:bytes=1000000000' })),
  retainArchive: folder
    .optional()
    .meta(about({ variable: 'RETAIN_ARCHIVE', none: 'none: they go for good', help: 'Folder into which runs are written before they are taken away' })),
  retainEvery: seconds(0, 30 * 86_400)
    .default(3600)
    .meta(about({ variable: 'RETAIN_EVERY', help: 'How often a running koco takes runs away, in seconds; 0 leaves it to `koco prune`' })),
  snapshotDir: folder.default('./data/snapshots').meta(about({ variable: 'SNAPSHOT_DIR', help: 'Folder of the snapshots of what is folded from events' })),
  snapshotEvents: whole(0, Number.MAX_SAFE_INTEGER)
    .default(100)
    .meta(about({ variable: 'SNAPSHOT_EVENTS', help: 'A snapshot is made after so many new events; 0 makes none' })),
  snapshotEvery: seconds(1, 30 * 86_400)
    .default(1800)
    .meta(about({ variable: 'SNAPSHOT_EVERY', help: 'Or after so many seconds, when anything happened' })),
  snapshotKeep: whole(1, 1000)
    .default(5)
    .meta(about({ variable: 'SNAPSHOT_KEEP', help: 'So many of these snapshots are kept, the newest' })),
  logLevel: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
    .default('info')
    .meta(about({ variable: 'LOG_LEVEL', help: 'trace, debug, info, warn, error, fatal or silent' })),
  logFormat: z
    .enum(['pretty', 'json'])
    .optional()
    .meta(about({ variable: 'LOG_FORMAT', none: 'pretty on a terminal, else json', help: 'pretty or json' })),
})

/** The settings of an installation, parsed; times and sizes in the units of their help lines. */
export type Settings = z.output<typeof settingsSchema>

/** A key of `Settings`. */
export type SettingKey = keyof Settings

/** One setting as forms show it. */
export type SettingInfo = SettingMeta & { readonly key: SettingKey; readonly flag: string; readonly default: string | undefined; readonly schema: z.ZodType }

/** All settings in the order of the schema. */
export function listSettings(): SettingInfo[] {
  return (Object.keys(settingsSchema.shape) as SettingKey[]).map((key) => {
    const schema: z.ZodType = settingsSchema.shape[key]
    const meta = schema.meta() as SettingMeta
    const found = schema.safeParse(undefined)
    const value = found.success ? found.data : undefined
    const fallback = typeof value === 'string' || typeof value === 'number' ? String(value) : undefined
    return { ...meta, key, schema, flag: meta.flag ?? meta.variable.toLowerCase().replaceAll('_', '-'), default: fallback }
  })
}

/** The settings as the Markdown table of the README. */
export function settingsTable(): string {
  const rows = listSettings().map((setting) => {
    const fallback = setting.default === undefined ? (setting.none ?? '') : `\`${setting.default}\``
    const file = setting.secret ? ' Also `KODO_' + setting.variable + '_FILE`.' : ''
    return `| \`KODO_${setting.variable}\` | \`--${setting.flag}\` | ${fallback} | ${setting.help}.${file} |`
  })
  return ['| variable | flag | default | meaning |', '| --- | --- | --- | --- |', ...rows].join('\n')
}

function about(meta: SettingMeta): SettingMeta {
  return meta
}
