import { Command } from 'commander'
import type { Json } from '@koco/core'
import type { Lock } from '@koco/core/api'
import { usageError } from '../output/exit.ts'
import { printItem, printItems, timeText, type Column } from '../output/table.ts'
import { CLIENT_SETTINGS, outputForm, outputOption, wholeNumber, type CommandContext } from './context.ts'
import { parseInputs } from './inputs.ts'
import { runPath } from './runs.ts'

const COLUMNS: readonly Column<Lock>[] = [
  { title: 'RUN', cell: (lock) => lock.fid },
  { title: 'LOCK', cell: (lock) => lock.lid },
  { title: 'QUESTION', cell: (lock) => lock.name },
  { title: 'FLOW', cell: (lock) => lock.flow },
  { title: 'STATUS', cell: (lock) => lock.status },
  { title: 'ASKED', cell: (lock) => timeText(lock.asked_at) },
  { title: 'EXPIRES', cell: (lock) => timeText(lock.expires_at) },
  { title: 'FOR', cell: (lock) => answerersOf(lock) },
  { title: 'ESCALATES', cell: (lock) => timeText(lock.escalations[lock.escalated]?.at ?? null) },
]

function answerersOf({ assignees, roles, user }: Lock): string {
  const named = [...assignees, ...roles.map((role) => `role ${role}`)]
  return named.length === 0 ? user : named.join(', ')
}

/** `koco locks …` */
export function locksCommand(context: CommandContext): Command {
  return new Command('locks').description('Questions of runs to people').addCommand(listCommand(context)).addCommand(answerCommand(context))
}

function listCommand(context: CommandContext): Command {
  const command = new Command('list')
    .description('List questions')
    .option('--run <fid>', 'only of this run')
    .option('--status <status>', 'open, answered, expired or closed', 'open')
    .option('--limit <n>', 'at most so many', '50')
    .addOption(outputOption())
  return context.withSettings(command, CLIENT_SETTINGS).action(async (options: { run?: string; status: string; limit: string; output: string }) => {
    const query = new URLSearchParams({ status: options.status })
    const path = options.run === undefined ? '/api/locks' : `${runPath(options.run)}/locks`
    const items = await context.client(command).list<Lock>(`${path}?${query.toString()}`, wholeNumber(options.limit, '--limit'))
    printItems(context.io, outputForm(options), items, { id: (lock) => `${lock.fid} ${lock.lid}`, columns: COLUMNS, empty: 'No questions wait.' })
  })
}

function answerCommand(context: CommandContext): Command {
  const command = new Command('answer')
    .description('Answer a question; the first answer counts')
    .argument('<fid>')
    .argument('<lid>')
    .option('--input <name=value...>', 'a field of the answer; name:=JSON for any JSON')
    .option('--value <json>', 'the whole answer as JSON')
    .option('--reason <text>', 'why; it stays in the timeline')
    .addOption(outputOption())
  return context
    .withSettings(command, CLIENT_SETTINGS)
    .action(async (fid: string, lid: string, options: { input?: string[]; value?: string; reason?: string; output: string }) => {
      const client = context.client(command)
      const path = `${runPath(fid)}/locks/${encodeURIComponent(lid)}`
      if ((options.input === undefined) === (options.value === undefined))
        throw usageError('Give the answer with --input name=value, or whole with --value JSON.')
      const answer = options.value === undefined ? parseInputs(options.input ?? [], (await client.call<Lock>('GET', path)).form) : wholeAnswer(options.value)
      const lock = await client.call<Lock>('POST', path, { answer, ...(options.reason !== undefined && { reason: options.reason }) })
      const form = outputForm(options)
      if (form === 'json') printItem(context.io, form, lid, lock)
      else context.io.out(`${fid} ${lid}`)
    })
}

function wholeAnswer(text: string): Json {
  try {
    return JSON.parse(text) as Json
  } catch {
    throw usageError(`--value takes JSON, and "${text}" is none.`)
  }
}
