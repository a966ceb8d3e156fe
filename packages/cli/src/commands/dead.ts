import type { DeadEvent } from '@koco/core/api'
import { Command } from 'commander'
import { printEach } from '../output/each.ts'
import { printItems, timeText, type Column } from '../output/table.ts'
import { CLIENT_SETTINGS, outputForm, outputOption, readIds, wholeNumber, type CommandContext } from './context.ts'

const COLUMNS: readonly Column<DeadEvent>[] = [
  { title: 'ID', cell: (event) => event.id },
  { title: 'RUN', cell: (event) => event.fid },
  { title: 'POSITION', cell: (event) => event.position },
  { title: 'SINCE', cell: (event) => timeText(event.at) },
  { title: 'REASON', cell: (event) => event.reason },
]

/** `koco dead …` */
export function deadCommand(context: CommandContext): Command {
  const dead = new Command('dead').description('Events that could not be stored')
  dead.addCommand(listCommand(context))
  dead.addCommand(actionCommand(context, 'retry', 'Try to store them again'))
  dead.addCommand(actionCommand(context, 'discard', 'Give them up for good'))
  return dead
}

function listCommand(context: CommandContext): Command {
  const command = new Command('list')
    .description('List what was set aside')
    .option('--run <fid>', 'only of this run')
    .option('--limit <n>', 'at most so many', '50')
    .addOption(outputOption())
  return context.withSettings(command, CLIENT_SETTINGS).action(async (options: { run?: string; limit: string; output: string }) => {
    const query = options.run === undefined ? '' : `?${new URLSearchParams({ fid: options.run }).toString()}`
    const items = await context.client(command).list<DeadEvent>(`/api/dead${query}`, wholeNumber(options.limit, '--limit'))
    printItems(context.io, outputForm(options), items, { id: (event) => String(event.id), columns: COLUMNS, empty: 'Nothing was set aside.' })
  })
}

function actionCommand(context: CommandContext, action: 'retry' | 'discard', description: string): Command {
  const command = new Command(action).description(description).argument('<id...>', 'ids, or - to read them').addOption(outputOption())
  return context.withSettings(command, CLIENT_SETTINGS).action(async (ids: string[], options: { output: string }) => {
    const client = context.client(command)
    const act = async (id: string) => {
      const path = `/api/dead/${encodeURIComponent(id)}`
      return await (action === 'retry' ? client.call('POST', `${path}/retry`, {}) : client.call('DELETE', path))
    }
    await printEach(context.io, outputForm(options), await readIds(context.io, ids), act)
  })
}
