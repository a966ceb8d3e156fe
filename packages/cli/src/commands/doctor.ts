import { Command } from 'commander'
import type { Reconciled } from '@koco/temporal'
import { runChecks, type Finding } from '../compose/checks.ts'
import { reconcileHere } from '../compose/reconcile.ts'
import { EXIT } from '../output/exit.ts'
import { printItems, type Column } from '../output/table.ts'
import { outputForm, outputOption, type CommandContext } from './context.ts'

const COLUMNS: readonly Column<Finding>[] = [
  { title: '', cell: (finding) => ({ well: 'ok', note: 'note', ill: 'FAIL' })[finding.state] },
  { title: 'WHAT', cell: (finding) => finding.what },
]

const RECONCILED: readonly Column<Reconciled>[] = [
  { title: 'RUN', cell: (run) => run.fid },
  { title: 'FLOW', cell: (run) => run.flow },
  { title: 'FOUND', cell: (run) => run.found },
  { title: 'DID', cell: (run) => run.did },
  { title: 'NOTE', cell: (run) => run.note },
]

/** `koco doctor`: looks at everything that the settings name and says what to do. */
export function doctorCommand(context: CommandContext): Command {
  const command = new Command('doctor')
    .description('Check servers, versions, clocks, folders and the port, and say what to do')
    .option(
      '--reconcile',
      'instead compare runs, streams and Temporal now, as the panel does every minute: runs that were terminated, lost or never started get their end',
    )
    .addOption(outputOption())
  return context.withSettings(command).action(async (options: { output: string; reconcile?: boolean }) => {
    if (options.reconcile) {
      const reconciled = await reconcileHere(context.settings(command), context.io.cwd)
      return printItems(context.io, outputForm(options), reconciled, { id: ({ fid }) => fid, columns: RECONCILED, empty: 'Runs, streams and Temporal agree.' })
    }
    const findings = await runChecks(context.settings(command), context.io.cwd)
    if (outputForm(options) !== 'table') printItems(context.io, outputForm(options), findings, { id: (finding) => finding.what, columns: COLUMNS, empty: '' })
    else for (const { state, what, detail } of findings) context.io.out(`${{ well: 'ok  ', note: 'note', ill: 'FAIL' }[state]}  ${what}: ${detail}`)
    const ill = findings.filter((finding) => finding.state === 'ill')
    return ill.length === 0 ? undefined : context.exit(ill.some((finding) => finding.unreachable) ? EXIT.unreachable : EXIT.failed)
  })
}
