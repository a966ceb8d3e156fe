import { WEBHOOK_EVENTS } from '@koco/core'
import type { Webhook, WebhookDelivery } from '@koco/core/api'
import { Command, Option } from 'commander'
import { usageError } from '../output/exit.ts'
import { printEach } from '../output/each.ts'
import { printItem, printItems, timeText, type Column } from '../output/table.ts'
import { CLIENT_SETTINGS, outputForm, outputOption, readIds, wholeNumber, type CommandContext } from './context.ts'

const COLUMNS: readonly Column<Webhook>[] = [
  { title: 'WEBHOOK', cell: (webhook) => webhook.id },
  { title: 'ADDRESS', cell: (webhook) => webhook.url },
  { title: 'EVENTS', cell: (webhook) => webhook.events.join(' ') },
  { title: 'RUNS OF', cell: (webhook) => webhook.runs_of ?? 'everybody' },
  { title: 'FLOW', cell: (webhook) => webhook.flow ?? 'every' },
  { title: 'STATE', cell: stateOf },
]

const NOTICE_COLUMNS: readonly Column<WebhookDelivery>[] = [
  { title: 'NOTICE', cell: (notice) => notice.id },
  { title: 'EVENT', cell: (notice) => notice.type },
  { title: 'RUN', cell: (notice) => notice.fid },
  { title: 'AT', cell: (notice) => timeText(notice.at) },
  { title: 'STATE', cell: (notice) => (notice.state === 'waiting' ? `next ${timeText(notice.next_at)}` : notice.state) },
  { title: 'SENT', cell: (notice) => notice.attempts },
  { title: 'PROBLEM', cell: (notice) => notice.problem },
]

/** `koco webhooks …` */
export function webhooksCommand(context: CommandContext): Command {
  const webhooks = new Command('webhooks').description('Tell other programs of runs, questions and alarms')
  webhooks.addCommand(listCommand(context)).addCommand(createCommand(context)).addCommand(logCommand(context)).addCommand(resendCommand(context))
  for (const action of ['test', 'pause', 'resume', 'secret', 'delete'] as const) webhooks.addCommand(actCommand(context, action))
  return webhooks
}

function stateOf({ paused, paused_because: because, failing_since: since }: Webhook): string {
  if (paused) return because === 'asked' ? 'paused' : `disabled: ${because}`
  return since === null ? 'ok' : `failing since ${timeText(since)}`
}

function listCommand(context: CommandContext): Command {
  const command = new Command('list').description('List webhooks; their secrets were shown once').addOption(outputOption())
  return context.withSettings(command, CLIENT_SETTINGS).action(async (options: { output: string }) => {
    const { items } = await context.client(command).call<{ items: Webhook[] }>('GET', '/api/webhooks')
    const empty = 'No webhooks. Make one: koco webhooks create https://example.com/koco --event run.error'
    printItems(context.io, outputForm(options), items, { id: (webhook) => webhook.id, columns: COLUMNS, empty })
  })
}

type CreateOptions = { readonly event?: string[]; readonly flow?: string; readonly runsOf?: string; readonly bodies?: boolean; readonly output: string }

function createCommand(context: CommandContext): Command {
  const command = new Command('create')
    .description('Have an address told of events; the secret that signs the notices is printed this one time')
    .argument('<address>')
    .addOption(new Option('--event <name...>', 'what it is told of').choices(WEBHOOK_EVENTS))
    .option('--flow <name>', "only of this flow's runs")
    .option('--runs-of <user>', "only of this user's runs; for who is no operator: always their own")
    .option('--bodies', 'send inputs, results and what questions show along')
    .addOption(outputOption())
  return context.withSettings(command, CLIENT_SETTINGS).action(async (url: string, options: CreateOptions) => {
    const { event: events, flow, runsOf, bodies } = options
    if (!events) throw usageError(`Say what it is told of: --event ${WEBHOOK_EVENTS.join(' | ')}`)
    const made = await context.client(command).call<Webhook & { secret: string }>('POST', '/api/webhooks', { url, events, flow, runs_of: runsOf, bodies })
    printItem(context.io, outputForm(options), made.id, made)
  })
}

function logCommand(context: CommandContext): Command {
  const command = new Command('log')
    .description('What was sent to a webhook, and what waits')
    .argument('<id>')
    .addOption(new Option('--state <state>').choices(['waiting', 'delivered', 'failed']))
    .option('--limit <n>', 'at most so many', '50')
    .addOption(outputOption())
  return context.withSettings(command, CLIENT_SETTINGS).action(async (id: string, options: { state?: string; limit: string; output: string }) => {
    const path = `/api/webhooks/${encodeURIComponent(id)}/deliveries?${options.state === undefined ? '' : `state=${options.state}`}`
    const items = await context.client(command).list<WebhookDelivery>(path, wholeNumber(options.limit, '--limit'))
    printItems(context.io, outputForm(options), items, { id: (notice) => notice.id, columns: NOTICE_COLUMNS, empty: 'Nothing was sent yet.' })
  })
}

function resendCommand(context: CommandContext): Command {
  const command = new Command('resend')
    .description('Send notices of a webhook again, under their ids')
    .argument('<id>')
    .argument('<notice...>', 'ids, or - to read them')
    .addOption(outputOption())
  return context.withSettings(command, CLIENT_SETTINGS).action(async (id: string, notices: string[], options: { output: string }) => {
    const client = context.client(command)
    const log = `/api/webhooks/${encodeURIComponent(id)}/deliveries`
    const resend = async (notice: string) => await client.call('POST', `${log}/${encodeURIComponent(notice)}/resend`, {})
    await printEach(context.io, outputForm(options), await readIds(context.io, notices), resend)
  })
}

function actCommand(context: CommandContext, action: 'test' | 'pause' | 'resume' | 'secret' | 'delete'): Command {
  const what = {
    test: 'Send a test to each, and print its id in the log',
    pause: 'Send nothing and note nothing until they are resumed; what they miss can be delivered then',
    resume: 'Let paused and disabled webhooks go on',
    secret: 'Give each another secret, printed this one time',
    delete: 'Delete webhooks with their logs',
  }
  const command = new Command(action).description(what[action]).argument('<id...>', 'ids, or - to read them').addOption(outputOption())
  if (action === 'resume') command.option('--missed', 'tell them of what they missed, and send again what was given up')
  type Options = { readonly missed?: boolean; readonly output: string }
  return context.withSettings(command, CLIENT_SETTINGS).action(async (ids: string[], { missed = false, output }: Options) => {
    const client = context.client(command)
    const act = async (id: string): Promise<{ id: string; secret?: string } | null> => {
      const path = `/api/webhooks/${encodeURIComponent(id)}`
      if (action === 'delete') return await client.call('DELETE', path)
      if (action === 'pause') return await client.call('PATCH', path, { paused: true })
      if (action === 'resume') return await client.call('PATCH', path, { paused: false, missed })
      return await client.call('POST', `${path}/${action}`, {})
    }
    await printEach(context.io, outputForm({ output }), await readIds(context.io, ids), act, (answer, id) => answer?.secret ?? answer?.id ?? id)
  })
}
