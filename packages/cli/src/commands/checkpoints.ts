import type { Checkpoint, WholeCheckpoint } from '@koco/core/api'
import { Command } from 'commander'
import { usageError } from '../output/exit.ts'
import { printEach } from '../output/each.ts'
import { printItem, printItems, timeText, type Column } from '../output/table.ts'
import { checkpointAutoCommand } from './checkpoint-auto.ts'
import { checkpointContentCommands } from './checkpoint-content.ts'
import { checkpointBranchCommands } from './checkpoint-branches.ts'
import { brief, parseObject, pathOf } from './checkpoint-shape.ts'
import { CLIENT_SETTINGS, outputForm, outputOption, readIds, wholeNumber, type CommandContext } from './context.ts'

const COLUMNS: readonly Column<Checkpoint>[] = [
  { title: 'CHECKPOINT', cell: (one) => one.id },
  { title: 'SESSION', cell: (one) => one.session_id },
  { title: 'MADE', cell: (one) => timeText(one.created_at) },
  { title: 'FILES', cell: (one) => one.file_count },
  { title: 'MESSAGES', cell: (one) => one.messages },
  { title: 'BYTES', cell: (one) => one.bytes },
  { title: 'ADDED', cell: (one) => one.added_bytes },
  { title: 'TAGS', cell: (one) => one.tags.join(' ') },
  { title: 'LOCKED', cell: (one) => (one.lock ? 'yes' : '') },
  { title: 'DESCRIPTION', cell: (one) => one.description },
]

/** `koco checkpoints …` */
export function checkpointsCommand(context: CommandContext): Command {
  const checkpoints = new Command('checkpoints').description('Copies of sessions: go back, branch, compare, merge')
  const commands = [
    createCommand(context),
    listCommand(context),
    getCommand(context),
    ...checkpointBranchCommands(context),
    ...(['lock', 'unlock', 'delete'] as const).map((action) => actCommand(context, action)),
    ...checkpointContentCommands(context),
    checkpointAutoCommand(context),
    ...(['validate', 'repair', 'gc'] as const).map((action) => upkeepCommand(context, action)),
  ]
  for (const command of commands) checkpoints.addCommand(command)
  return checkpoints
}

type CreateOptions = {
  description?: string
  tag?: string[]
  metadata?: string
  parent?: string
  compressionLevel?: string
  incremental?: boolean
  include?: string[]
  exclude?: string[]
  output: string
}

function createCommand(context: CommandContext): Command {
  const command = new Command('create')
    .description('Make a checkpoint of a session')
    .argument('<session>')
    .option('--description <text>')
    .option('--tag <tag...>')
    .option('--metadata <json>', 'a JSON object')
    .option('--parent <checkpoint>', 'the one that it continues')
    .option('--incremental', 'continue the last one of the session; files that did not change are not read again')
    .option('--compression-level <n>', '0 (none) to 9')
    .option('--include <glob...>', 'only these files')
    .option('--exclude <glob...>', 'without these files')
    .addOption(outputOption())
  return context.withSettings(command, CLIENT_SETTINGS).action(async (session: string, options: CreateOptions) => {
    const { description, tag: tags, metadata, parent, compressionLevel, incremental, include, exclude } = options
    const made = await context.client(command).call<Checkpoint>('POST', '/api/checkpoints', {
      session_id: session,
      description,
      tags,
      parent_id: parent,
      incremental,
      include,
      exclude,
      metadata: metadata === undefined ? undefined : parseObject(metadata, '--metadata'),
      compression_level: compressionLevel === undefined ? undefined : levelOf(compressionLevel),
    })
    printItem(context.io, outputForm(options), made.id, brief(made))
  })
}

function listCommand(context: CommandContext): Command {
  const command = new Command('list')
    .description('List and search your checkpoints, newest first')
    .option('--session <session>')
    .option('--tag <tag...>', 'with all of these')
    .option('-q, --query <words>', 'words in description, tags, metadata or ids')
    .option('--metadata <json>', 'a JSON object whose values the metadata has')
    .option('--limit <n>', 'at most so many', '200')
    .addOption(outputOption())
  return context
    .withSettings(command, CLIENT_SETTINGS)
    .action(async (options: { session?: string; tag?: string[]; query?: string; metadata?: string; limit: string; output: string }) => {
      const query = new URLSearchParams()
      if (options.session !== undefined) query.set('session_id', options.session)
      for (const tag of options.tag ?? []) query.append('tags', tag)
      if (options.query !== undefined) query.set('q', options.query)
      if (options.metadata !== undefined) query.set('metadata', JSON.stringify(parseObject(options.metadata, '--metadata')))
      const items = await context.client(command).list<Checkpoint>(`/api/checkpoints?${query.toString()}`, wholeNumber(options.limit, '--limit'))
      const empty = 'No checkpoints. Make one: koco checkpoints create <session>'
      printItems(context.io, outputForm(options), items, { id: ({ id }) => id, columns: COLUMNS, empty })
    })
}

function getCommand(context: CommandContext): Command {
  const command = new Command('get').description('Show a checkpoint with its files').argument('<id>').addOption(outputOption())
  return context.withSettings(command, CLIENT_SETTINGS).action(async (id: string, options: { output: string }) => {
    const found = await context.client(command).call<WholeCheckpoint>('GET', pathOf(id))
    const form = outputForm(options)
    if (form !== 'table') return printItem(context.io, form, id, found)
    printItem(context.io, form, id, brief(found))
    const columns: Column<{ path: string; size: number }>[] = [
      { title: 'FILE', cell: ({ path }) => path },
      { title: 'BYTES', cell: ({ size }) => size },
    ]
    printItems(context.io, form, found.files, { id: ({ path }) => path, columns, empty: 'No files.' })
  })
}

function actCommand(context: CommandContext, action: 'lock' | 'unlock' | 'delete'): Command {
  const what = {
    lock: 'Keep checkpoints from being deleted or retired',
    unlock: 'Let them be deleted again',
    delete: 'Delete checkpoints; those that continue them are not harmed',
  }
  const command = new Command(action).description(what[action]).argument('<id...>', 'ids, or - to read them')
  if (action === 'lock') command.option('--reason <text>')
  command.addOption(outputOption())
  return context.withSettings(command, CLIENT_SETTINGS).action(async (ids: string[], { reason, output }: { reason?: string; output: string }) => {
    const client = context.client(command)
    const act = async (id: string) =>
      await (action === 'delete' ? client.call('DELETE', pathOf(id)) : client.call('POST', `${pathOf(id)}/${action}`, { reason }))
    await printEach(context.io, outputForm({ output }), await readIds(context.io, ids), act)
  })
}

function upkeepCommand(context: CommandContext, action: 'validate' | 'repair' | 'gc'): Command {
  const what = {
    validate: 'Look whether all checkpoints are whole',
    repair: 'Write damaged manifests again from the store',
    gc: 'Take away what neither a checkpoint nor a run holds',
  }
  const command = new Command(action).description(`${what[action]} (operators)`)
  if (action !== 'gc') command.argument('[id]')
  if (action === 'validate') command.option('--deep', 'read every byte')
  if (action === 'gc') command.option('--grace <seconds>', 'leave alone what was used in so many seconds')
  command.addOption(outputOption())
  return context.withSettings(command, CLIENT_SETTINGS).action(async (...args: unknown[]) => {
    const options = command.opts<{ deep?: boolean; grace?: string; output: string }>()
    const id = action === 'gc' ? undefined : (args[0] as string | undefined)
    const grace_s = options.grace === undefined ? undefined : Number(options.grace)
    const answer = await context.client(command).call<{ errors?: readonly object[] }>('POST', `/api/checkpoints/${action}`, { id, deep: options.deep, grace_s })
    printItem(context.io, outputForm(options), id ?? action, answer)
    if ((answer.errors ?? []).length > 0) context.exit(1)
  })
}

function levelOf(text: string): number {
  const level = Number(text)
  if (!Number.isInteger(level) || level < 0 || level > 9) throw usageError(`--compression-level takes 0 to 9, not "${text}".`)
  return level
}
