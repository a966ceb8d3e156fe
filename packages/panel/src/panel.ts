import cookie from '@fastify/cookie'
import { keepAudit } from './audit/audit-log.ts'
import { createIdentities } from './auth/identity.ts'
import { createConversations } from './chat/conversations.ts'
import type { App, PanelContext, Routes } from './context.ts'
import { createFiles } from './files/panel-files.ts'
import { PANEL_DEFAULTS, type PanelDeps, type PanelSettings } from './options.ts'
import { auditRoutes } from './routes/audit.ts'
import { authRoutes } from './routes/auth.ts'
import { budgetRoutes } from './routes/budgets.ts'
import { bulkRunRoutes } from './routes/bulk-runs.ts'
import { chatQueueRoutes, chatRoutes } from './routes/chat.ts'
import { checkpointActRoutes } from './routes/checkpoint-acts.ts'
import { checkpointContentRoutes } from './routes/checkpoint-content.ts'
import { checkpointUpkeepRoutes } from './routes/checkpoint-upkeep.ts'
import { checkpointRoutes } from './routes/checkpoints.ts'
import { compressRoutes } from './routes/compress.ts'
import { contentRoutes } from './routes/contents.ts'
import { deadRoutes } from './routes/dead.ts'
import { eventRoutes } from './routes/events.ts'
import { flowRoutes } from './routes/flows.ts'
import { insightRoutes } from './routes/insights.ts'
import { keyRoutes } from './routes/keys.ts'
import { llmsRoutes } from './routes/llms.ts'
import { answerRoutes, lockRoutes } from './routes/locks.ts'
import { myAccountRoutes } from './routes/my-account.ts'
import { signInRoutes } from './routes/sign-ins.ts'
import { operationsRoutes } from './routes/operations.ts'
import { opsRoutes } from './routes/ops.ts'
import { providerRoutes } from './routes/providers.ts'
import { runArchiveRoutes } from './routes/run-archive.ts'
import { runControlRoutes } from './routes/run-control.ts'
import { runCompareRoutes } from './routes/run-compare.ts'
import { listExportRoutes } from './routes/list-export.ts'
import { runExportRoutes } from './routes/run-export.ts'
import { runForkRoutes } from './routes/run-fork.ts'
import { runFileRoutes } from './routes/run-files.ts'
import { runImportRoutes } from './routes/run-import.ts'
import { runRoutes } from './routes/runs.ts'
import { scheduleControlRoutes, scheduleRoutes } from './routes/schedules.ts'
import { sessionCopyRoutes, sessionCreateRoutes } from './routes/session-create.ts'
import { sessionEditRoutes } from './routes/session-edit.ts'
import { sessionFileRoutes } from './routes/session-files.ts'
import { sessionDraftRoutes, sessionLabelRoutes } from './routes/session-labels.ts'
import { sessionExportRoutes, sessionListRoutes, sessionReadRoutes } from './routes/session-read.ts'
import { startRunRoutes } from './routes/start-run.ts'
import { ticketRoutes } from './routes/ticket.ts'
import { tokenRoutes } from './routes/tokens.ts'
import { uploadRoutes } from './routes/uploads.ts'
import { userRoutes } from './routes/users.ts'
import { viewRoutes } from './routes/views.ts'
import { webhookChangeRoutes, webhookNoticeRoutes, webhookRoutes } from './routes/webhooks.ts'
import { guardRoutes } from './server/access.ts'
import { createServer } from './server/create-server.ts'
import { createDelayWatch, type DelayWatch } from './server/delay-watch.ts'
import { listen } from './server/listen.ts'
import { createMetrics } from './server/metrics.ts'
import { createReadiness } from './server/readiness.ts'
import { describeApi, serveDescription } from './server/openapi.ts'
import { serveWeb } from './server/web.ts'
import { runJson } from './shapes/run.ts'
import { createSockets, type Sockets } from './sockets/sockets.ts'
import { createEndings } from './tail/endings.ts'
import { LiveStreams } from './tail/live-streams.ts'
import { createRunFeed } from './tail/run-feed.ts'
import { createTails } from './tail/tails.ts'
import { createWakeups, type Wakeups } from './tail/wakeups.ts'
import { webhookSeal } from './webhooks/secret.ts'
import { createWebhookSender, type WebhookSender } from './webhooks/sender.ts'

/** The HTTP API, the live tails and the page, not yet listening. */
export type Panel = {
  readonly app: App
  /** Listens and gives the address. RefusedError `port_in_use`, `bad_address`, or `auth_off_not_loopback`. */
  listen(at: { readonly host: string; readonly port: number }): Promise<{ readonly url: string; readonly port: number }>
  /** Not ready from this moment on; ends the live streams, lets requests finish within `graceMs`, then cuts what is left. Safe to call twice. */
  close(graceMs?: number): Promise<void>
}

const ACCOUNT_ROUTES: readonly Routes[] = [authRoutes, providerRoutes, tokenRoutes, ticketRoutes, myAccountRoutes, signInRoutes, userRoutes, keyRoutes]
const RUN_ROUTES: readonly Routes[] = [
  flowRoutes,
  startRunRoutes,
  runRoutes,
  bulkRunRoutes,
  runArchiveRoutes,
  runControlRoutes,
  runExportRoutes,
  listExportRoutes,
  runImportRoutes,
  runForkRoutes,
  runCompareRoutes,
  eventRoutes,
  contentRoutes,
  lockRoutes,
  answerRoutes,
  viewRoutes,
]
const CHAT_ROUTES: readonly Routes[] = [
  sessionCreateRoutes,
  sessionCopyRoutes,
  sessionReadRoutes,
  sessionExportRoutes,
  sessionListRoutes,
  sessionEditRoutes,
  sessionLabelRoutes,
  sessionDraftRoutes,
  sessionFileRoutes,
  chatRoutes,
  chatQueueRoutes,
  compressRoutes,
]
const FILE_ROUTES: readonly Routes[] = [uploadRoutes, runFileRoutes]
const CHECKPOINT_ROUTES: readonly Routes[] = [checkpointRoutes, checkpointActRoutes, checkpointContentRoutes, checkpointUpkeepRoutes]
const OPERATION_ROUTES: readonly Routes[] = [
  scheduleRoutes,
  scheduleControlRoutes,
  deadRoutes,
  auditRoutes,
  budgetRoutes,
  webhookRoutes,
  webhookChangeRoutes,
  webhookNoticeRoutes,
  insightRoutes,
  operationsRoutes,
  opsRoutes,
  llmsRoutes,
]

/** Makes a panel over what it is given; it closes none of it. */
export async function createPanel(deps: PanelDeps): Promise<Panel> {
  const settings: PanelSettings = { ...PANEL_DEFAULTS, ...deps.settings }
  const state = { closing: false }
  const { context, closeParts } = await createParts(deps, settings, state)
  const app = createServer(context)
  await app.register(cookie)
  guardRoutes(app, context)
  const closeAudit = keepAudit(app, context)
  await describeApi(app, deps.version)
  for (const routes of [...ACCOUNT_ROUTES, ...RUN_ROUTES, ...CHAT_ROUTES, ...FILE_ROUTES, ...CHECKPOINT_ROUTES, ...OPERATION_ROUTES]) routes(app, context)
  serveDescription(app)
  await serveWeb(app, deps.webDir)
  const sockets = await createSockets(app.server, context)
  let closed: Promise<void> | undefined
  return {
    app,
    listen: (at) => listen(app, settings, at),
    close: (graceMs = 10_000) => (closed ??= close(app, graceMs, state, sockets, [closeAudit, () => closeParts(graceMs)])),
  }
}

type State = { closing: boolean }

function startWebhooks(deps: PanelDeps, settings: PanelSettings, wakeups: Wakeups, delay: DelayWatch): WebhookSender {
  const { publicUrl, lookAgainMs, webhooks } = settings
  return createWebhookSender({ ...deps, seal: webhookSeal(deps.hashSecret), settings: webhooks, publicUrl, lookAgainMs, wakeups, delay, random: Math.random })
}

/** A turn that fails leaves a checkpoint of what it had come to. */
function checkpointOnFailure({ checkpoints, log }: PanelDeps): (session: string, error: string) => void {
  return (session, error) => {
    checkpoints.turnFailed(session, error).catch((cause: unknown) => log.warn({ err: cause, session }, 'a turn failed, and no checkpoint of it could be made'))
  }
}

async function createParts(
  deps: PanelDeps,
  settings: PanelSettings,
  state: State,
): Promise<{ context: PanelContext; closeParts: (graceMs: number) => Promise<void> }> {
  const { store, signals, log, clock } = deps
  const metrics = createMetrics(deps.registry, store.runs)
  const { close: closeIdentities, ...identities } = await createIdentities(deps, settings, metrics)
  const wakeups = await createWakeups(signals)
  const tails = createTails({ reader: store.reader, runs: store.runs, signals, wakeups, log, lookAgainMs: settings.lookAgainMs })
  const streams = new LiveStreams(identities.auth, settings, metrics.streams)
  const feed = createRunFeed({ runs: store.runs, wakeups, toJson: (run) => runJson({ ...run, final: null }, clock()), log })
  const endings = createEndings({ wakeups, runs: store.runs, log, lookAgainMs: settings.lookAgainMs })
  const { files, close: closeFiles } = createFiles(deps, settings)
  const onFailed = checkpointOnFailure(deps)
  const { launcher } = deps
  const conversations = createConversations({ store, launcher, wakeups, flow: settings.chatFlow, lookAgainMs: settings.lookAgainMs, clock, onFailed, log })
  const closing = (): boolean => state.closing
  const ready = createReadiness({ ...deps, metrics, closing })
  const delay = createDelayWatch({ ...deps, checks: async () => (await ready()).checks })
  const webhooks = startWebhooks(deps, settings, wakeups, delay)
  const context = { ...deps, webhooks, ...identities, files, wakeups, conversations, settings, metrics, ready, delay, tails, streams, feed, endings, closing }
  const closeParts = async (graceMs: number): Promise<void> => {
    const webhooksClosed = webhooks.close(graceMs)
    closeIdentities()
    delay.close()
    closeFiles()
    conversations.close()
    endings.close()
    streams.close()
    feed.close()
    tails.close()
    wakeups.close()
    await webhooksClosed
  }
  return { context, closeParts }
}

async function close(app: App, graceMs: number, state: State, sockets: Sockets, closers: readonly (() => void | Promise<void>)[]): Promise<void> {
  state.closing = true
  await sockets.close(graceMs)
  const closing = Promise.all(closers.map(async (closeOne) => await closeOne()))
  const cut = setTimeout(() => app.server.closeAllConnections(), graceMs)
  // A connection that was busy a moment ago stays open for the next request otherwise.
  const idle = setInterval(() => app.server.closeIdleConnections(), 20)
  try {
    await app.close()
  } finally {
    await closing
    clearTimeout(cut)
    clearInterval(idle)
  }
}
