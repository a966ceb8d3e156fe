import type { Run, TimelineEvent } from '@koco/core/api'
import { Command } from 'commander'
import type { ApiClient } from '../panel-client/api-client.ts'
import { printEach } from '../output/each.ts'
import { fullEventLine } from '../output/event-line.ts'
import { printItem, printItems, timeText, type Column } from '../output/table.ts'
import { CLIENT_SETTINGS, outputForm, outputOption, readIds, wholeNumber, type CommandContext } from './context.ts'
import { followRun } from './follow.ts'
import { compareCommand, forkCommand } from './fork.ts'
import { addRunFilter, runFilterQuery, type RunFilterOptions } from './run-filter.ts'
import { exportCommand, importCommand } from './run-transfer.ts'

const COLUMNS: readonly Column<Run>[] = [
  { title: 'RUN', cell: (run) => run.fid },
  { title: 'FLOW', cell: (run) => run.flow },
  { title: 'STATUS', cell: (run) => run.status },
  { title: 'STARTED', cell: (run) => timeText(run.created_at) },
  { title: 'SECONDS', cell: (run) => run.runtime_s?.toFixed(1) ?? null },
  { title: 'EVENTS', cell: (run) => run.events },
  { title: 'USER', cell: (run) => run.user },
  { title: 'ABOUT', cell: aboutText },
]

/** Why a resting run rests; else its inputs in short, else what its flow does. */
function aboutText(run: Run): string {
  if (run.deaths > 0) return `resting until ${timeText(run.wake_at).slice(-8)}, its process died ${run.deaths} times in a row`
  return run.about === '' ? run.summary : run.about
}

/** `koco runs …` */
export function runsCommand(context: CommandContext): Command {
  const runs = new Command('runs').description('Look at runs and steer them')
  runs.addCommand(listCommand(context))
  runs.addCommand(getCommand(context))
  runs.addCommand(eventsCommand(context))
  for (const action of ['pause', 'resume', 'cancel', 'retry'] as const) runs.addCommand(controlCommand(context, action))
  runs.addCommand(exportCommand(context))
  runs.addCommand(forkCommand(context))
  runs.addCommand(compareCommand(context))
  runs.addCommand(importCommand(context))
  return runs
}

function listCommand(context: CommandContext): Command {
  const command = addRunFilter(new Command('list').description('List runs, newest first'))
    .option('--limit <n>', 'at most so many', '50')
    .addOption(outputOption())
  return context.withSettings(command, CLIENT_SETTINGS).action(async (options: RunFilterOptions & { limit: string; output: string }) => {
    const path = `/api/runs?${runFilterQuery(options).toString()}`
    const items = await context.client(command).list<Run>(path, wholeNumber(options.limit, '--limit'))
    printItems(context.io, outputForm(options), items, { id: (run) => run.fid, columns: COLUMNS, empty: 'No runs. Start one: koco run <flow>' })
  })
}

function getCommand(context: CommandContext): Command {
  const command = new Command('get').description('Show runs in full').argument('<fid...>', 'ids, or - to read them').addOption(outputOption())
  return context.withSettings(command, CLIENT_SETTINGS).action(async (fids: string[], options: { output: string }) => {
    const client = context.client(command)
    for (const fid of await readIds(context.io, fids)) printItem(context.io, outputForm(options), fid, await client.call<object>('GET', runPath(fid)))
  })
}

function eventsCommand(context: CommandContext): Command {
  const command = new Command('events')
    .description('Print the events of a run')
    .argument('<fid>')
    .option('-f, --follow', 'go on until the run ends')
    .option('--after <position>', 'only events behind this position')
    .option('--kind <kinds>', 'only these kinds (several with commas)')
    .option('--limit <n>', 'at most so many', '100000')
    .addOption(outputOption())
  type Options = { follow?: boolean; after?: string; kind?: string; limit: string; output: string }
  return context.withSettings(command, CLIENT_SETTINGS).action(async (fid: string, options: Options) => {
    const client = context.client(command)
    const form = outputForm(options)
    if (options.follow) {
      await followRun(context.io, client, fid, { form, after: options.after ?? null, kinds: options.kind?.split(',') ?? null })
      return
    }
    let left = wholeNumber(options.limit, '--limit')
    for await (const event of eventPages(client, fid, options)) {
      if (left-- <= 0) return
      if (form === 'ids') context.io.out(event.position)
      else if (form === 'json') context.io.out(JSON.stringify(event))
      else context.io.out(fullEventLine(context.io, event))
    }
  })
}

function controlCommand(context: CommandContext, action: 'pause' | 'resume' | 'cancel' | 'retry'): Command {
  const what = {
    pause: 'Hold runs at their next step border',
    resume: 'Let paused runs go on',
    cancel: 'Stop runs for good; what they wrote stays',
    retry: 'Start ended runs again; finished steps are kept',
  }
  const command = new Command(action).description(what[action]).argument('<fid...>', 'ids, or - to read them')
  if (action === 'pause' || action === 'cancel') command.option('--reason <text>', 'said in the timeline')
  command.addOption(outputOption())
  return context.withSettings(command, CLIENT_SETTINGS).action(async (fids: string[], options: { reason?: string; output: string }) => {
    const client = context.client(command)
    const body = options.reason === undefined ? {} : { reason: options.reason }
    const ids = await readIds(context.io, fids)
    await printEach(context.io, outputForm(options), ids, async (fid) => await client.call('POST', `${runPath(fid)}/${action}`, body))
  })
}

async function* eventPages(client: ApiClient, fid: string, query: { readonly after?: string; readonly kind?: string }): AsyncGenerator<TimelineEvent> {
  let after = query.after ?? null
  for (;;) {
    const search = new URLSearchParams({ limit: '1000' })
    if (after !== null) search.set('after', after)
    for (const kind of query.kind?.split(',') ?? []) search.append('kind', kind.trim())
    const page = await client.call<{ items: TimelineEvent[]; next: string | null }>('GET', `${runPath(fid)}/events?${search.toString()}`)
    yield* page.items
    if (page.next === null) return
    after = page.next
  }
}

/** The API's path of a run; what is no id is refused by the panel, not turned into another path. */
export function runPath(fid: string): string {
  return `/api/runs/${encodeURIComponent(fid)}`
}
