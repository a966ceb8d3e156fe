import { durationMs } from '@koco/flow'
import { Command, Option } from 'commander'
import type { Json } from '@koco/core'
import type { Schedule } from '@koco/core/api'
import { usageError } from '../output/exit.ts'
import { printEach } from '../output/each.ts'
import { printItem, printItems, timeText, type Column } from '../output/table.ts'
import { CLIENT_SETTINGS, outputForm, outputOption, readIds, wholeNumber, type CommandContext } from './context.ts'
import { parseInputs } from './inputs.ts'

const COLUMNS: readonly Column<Schedule>[] = [
  { title: 'SCHEDULE', cell: (schedule) => schedule.id },
  { title: 'FLOW', cell: (schedule) => schedule.flow },
  { title: 'WHEN', cell: (schedule) => (schedule.cron === null ? `every ${schedule.every_s ?? '?'} s` : `${schedule.cron} ${schedule.time_zone ?? ''}`) },
  { title: 'NEXT', cell: (schedule) => (schedule.paused ? 'paused' : timeText(schedule.next_at)) },
  { title: 'LAST RUN', cell: (schedule) => schedule.last_fid },
  { title: 'USER', cell: (schedule) => schedule.user },
  { title: 'PROBLEM', cell: (schedule) => schedule.problem },
]

/** `koco schedules …` */
export function schedulesCommand(context: CommandContext): Command {
  const schedules = new Command('schedules').description('Start flows by the clock')
  schedules.addCommand(listCommand(context))
  schedules.addCommand(createCommand(context))
  for (const action of ['pause', 'resume', 'trigger', 'delete'] as const) schedules.addCommand(actCommand(context, action))
  return schedules
}

function listCommand(context: CommandContext): Command {
  const command = new Command('list').description('List schedules').option('--limit <n>', 'at most so many', '200').addOption(outputOption())
  return context.withSettings(command, CLIENT_SETTINGS).action(async (options: { limit: string; output: string }) => {
    const items = await context.client(command).list<Schedule>('/api/schedules?', wholeNumber(options.limit, '--limit'))
    const empty = 'No schedules. Make one: koco schedules create <flow> --cron "0 7 * * *"'
    printItems(context.io, outputForm(options), items, { id: (schedule) => schedule.id, columns: COLUMNS, empty })
  })
}

type CreateOptions = {
  id?: string
  cron?: string
  timeZone?: string
  every?: string
  input?: string[]
  missed?: string
  overlap?: string
  output: string
}

function createCommand(context: CommandContext): Command {
  const command = new Command('create')
    .description('Start a flow again and again')
    .argument('<flow>')
    .option('--cron <expression>', 'when: minute, hour, day of month, month and weekday')
    .option('--time-zone <name>', "of the cron expression; this machine's unless given")
    .option('--every <span>', 'instead of --cron: from one start to the next, like 15m or 1d')
    .option('--input <name=value...>', 'an input of the flow; name:=JSON for any JSON')
    .option('--id <id>', 'made of the name of the flow unless given')
    .addOption(new Option('--missed <policy>', 'what becomes of starts that nobody was there to make').choices(['skip', 'once', 'all']))
    .addOption(new Option('--overlap <policy>', 'whether to start while the run before is not over').choices(['skip', 'allow']))
    .addOption(outputOption())
  return context.withSettings(command, CLIENT_SETTINGS).action(async (flow: string, options: CreateOptions) => {
    const client = context.client(command)
    const { inputs: schema } = await client.call<{ inputs: Json }>('GET', `/api/flows/${encodeURIComponent(flow)}`)
    const inputs = parseInputs(options.input ?? [], schema)
    const { id, missed, overlap } = options
    const made = await client.call<Schedule>('POST', '/api/schedules', { flow, inputs, ...timing(options), id, missed, overlap })
    printItem(context.io, outputForm(options), made.id, made)
  })
}

function timing({ cron, timeZone, every }: CreateOptions): object {
  if (cron !== undefined && every === undefined) return { cron, time_zone: timeZone ?? Intl.DateTimeFormat().resolvedOptions().timeZone }
  if (every !== undefined && cron === undefined && timeZone === undefined) return { every_s: durationMs(every as `${number}s`, '--every') / 1000 }
  throw usageError('Say when: either --cron EXPRESSION (and perhaps --time-zone), or --every SPAN.')
}

function actCommand(context: CommandContext, action: 'pause' | 'resume' | 'trigger' | 'delete'): Command {
  const what = {
    pause: 'Start nothing until they are resumed',
    resume: 'Let paused schedules go on; nothing is made up for',
    trigger: 'Start a run of each now, and print its id',
    delete: 'Delete schedules; the runs that they started go on',
  }
  const command = new Command(action).description(what[action]).argument('<id...>', 'ids, or - to read them').addOption(outputOption())
  return context.withSettings(command, CLIENT_SETTINGS).action(async (ids: string[], options: { output: string }) => {
    const client = context.client(command)
    const act = async (id: string): Promise<{ fid?: string } | null> => {
      const path = `/api/schedules/${encodeURIComponent(id)}`
      return await (action === 'delete' ? client.call('DELETE', path) : client.call('POST', `${path}/${action}`, {}))
    }
    await printEach(context.io, outputForm(options), await readIds(context.io, ids), act, (answer, id) => answer?.fid ?? id)
  })
}
