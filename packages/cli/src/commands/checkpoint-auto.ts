import type { AutoCheckpoints } from '@koco/core/api'
import { Command } from 'commander'
import { usageError } from '../output/exit.ts'
import { printItem } from '../output/table.ts'
import { CLIENT_SETTINGS, outputForm, outputOption, wholeNumber, type CommandContext } from './context.ts'

/** `koco checkpoints auto <session>`: says whether they are made by the clock, begins that, or ends it. */
export function checkpointAutoCommand(context: CommandContext): Command {
  const command = new Command('auto')
    .description('Make checkpoints of a session by the clock while it changes; without an option: say whether that is done')
    .argument('<session>')
    .option('--every <seconds>', 'from one to the next')
    .option('--off', 'no more of them')
    .addOption(outputOption())
  return context.withSettings(command, CLIENT_SETTINGS).action(async (session: string, options: { every?: string; off?: boolean; output: string }) => {
    if (options.every !== undefined && options.off) throw usageError('Give --every or --off, not both.')
    const client = context.client(command)
    const isChange = options.every !== undefined || options.off === true
    const interval = options.every === undefined ? null : wholeNumber(options.every, '--every')
    const answer = isChange
      ? await client.call<AutoCheckpoints>('POST', '/api/checkpoints/auto', { session_id: session, interval_s: interval })
      : await client.call<AutoCheckpoints>('GET', `/api/checkpoints/auto?session_id=${encodeURIComponent(session)}`)
    printItem(context.io, outputForm(options), session, answer)
  })
}
