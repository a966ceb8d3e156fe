import { Command } from 'commander'
import { runChecks, type Finding } from '../compose/checks.ts'
import { EXIT } from '../output/exit.ts'
import { printItems, type Column } from '../output/table.ts'
import { outputForm, outputOption, type CommandContext } from './context.ts'

const COLUMNS: readonly Column<Finding>[] = [
  { title: '', cell: (finding) => ({ well: 'ok', note: 'note', ill: 'FAIL' })[finding.state] },
  { title: 'WHAT', cell: (finding) => finding.what },
]

/** `koco doctor`: looks at everything that the settings name and says what to do. */
export function doctorCommand(context: CommandContext): Command {
  const command = new Command('doctor').description('Check servers, versions, clocks, folders and the port, and say what to do').addOption(outputOption())
  return context.withSettings(command).action(async (options: { output: string }) => {
    const findings = await runChecks(context.settings(command), context.io.cwd)
    if (outputForm(options) !== 'table') printItems(context.io, outputForm(options), findings, { id: (finding) => finding.what, columns: COLUMNS, empty: '' })
    else for (const { state, what, detail } of findings) context.io.out(`${{ well: 'ok  ', note: 'note', ill: 'FAIL' }[state]}  ${what}: ${detail}`)
    const ill = findings.filter((finding) => finding.state === 'ill')
    if (ill.length > 0) context.exit(ill.some((finding) => finding.unreachable) ? EXIT.unreachable : EXIT.failed)
  })
}
