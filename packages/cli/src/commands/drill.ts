import { RefusedError } from '@koco/core'
import { Command, Option } from 'commander'
import { workForDrill } from '../drill/as-worker.ts'
import type { Drill } from '../drill/drill.ts'
import { drills } from '../drill/drills.ts'
import type { RestartCommands } from '../drill/links.ts'
import { makeDrill, type DrillReport } from '../drill/run-drills.ts'
import { World } from '../drill/world.ts'
import { EXIT, usageError } from '../output/exit.ts'
import { dim, printItems, type Column } from '../output/table.ts'
import type { Settings } from '../settings/schema.ts'
import { outputForm, outputOption, type CommandContext } from './context.ts'

type Options = {
  readonly output: string
  readonly list?: boolean
  readonly asWorker?: string
  readonly restartRedis?: string
  readonly restartPostgres?: string
  readonly restartTemporal?: string
}

const COLUMNS: readonly Column<DrillReport>[] = [
  { title: 'DRILL', cell: (report) => report.drill },
  { title: '', cell: (report) => (report.ok ? 'ok' : 'FAIL') },
  { title: 'SECONDS', cell: (report) => report.seconds.toFixed(1) },
  { title: 'ACKNOWLEDGED', cell: (report) => report.checker.acknowledged },
  { title: 'STORED', cell: (report) => report.checker.stored },
  { title: 'DUPLICATES', cell: (report) => report.checker.duplicates },
  { title: 'HOLES', cell: (report) => report.checker.holes },
]

/** `koco drill [name…]`: breaks things on purpose and lets the checker judge. */
export function drillCommand(context: CommandContext): Command {
  const command = new Command('drill')
    .description('Break things on purpose against the configured servers, with processes of its own, and say whether anything was lost')
    .argument('[drills...]', 'which drills; all without a name')
    .option('--list', 'show the drills')
    .option('--restart-redis <command>', 'restart Redis by this command, in place of cutting the drill off from it')
    .option('--restart-postgres <command>', 'restart Postgres by this command, likewise')
    .option('--restart-temporal <command>', 'restart Temporal by this command, likewise')
    .addOption(new Option('--as-worker <file>', 'be a worker of the drill').hideHelp())
    .addOption(outputOption())
  return context.withSettings(command).action(async (names: string[], options: Options) => {
    if (options.list) return printItems(context.io, outputForm(options), drills, { id: ({ name }) => name, columns: LIST, empty: '' })
    const settings = context.settings(command)
    if (options.asWorker !== undefined) return await workForDrill(settings, context.io, options.asWorker)
    mustBeTemporal(settings)
    return await drillAll(context, settings, chosen(names), options)
  })
}

const LIST: readonly Column<Drill>[] = [
  { title: 'DRILL', cell: (drill) => drill.name },
  { title: 'WHAT IT DOES', cell: (drill) => drill.about },
]

async function drillAll({ io, exit }: CommandContext, settings: Settings, wanted: readonly Drill[], options: Options): Promise<void> {
  const opened: (() => Promise<unknown>)[] = []
  const reports: DrillReport[] = []
  try {
    const world = await World.open({ settings, cwd: io.cwd, commands: commandsOf(options), signal: io.stop, opened })
    for (const drill of wanted) {
      const why = drill.server && world.links.why(drill.server)
      if (why !== undefined) {
        io.err(`${drill.name}: left out: ${why}`)
        continue
      }
      io.err(dim(io, `${drill.name}: ${drill.about} …`))
      const report = await makeDrill(drill, world)
      if (io.stop.aborted) break
      reports.push(report)
      io.err(`${drill.name}: ${report.ok ? 'ok' : 'FAIL'}, ${report.note}`)
    }
  } finally {
    for (const close of opened.toReversed()) await close()
  }
  printItems(io, outputForm(options), reports, { id: ({ drill }) => drill, columns: COLUMNS, empty: 'No drill was made.' })
  if (io.stop.aborted || reports.some(({ ok }) => !ok)) exit(EXIT.failed)
}

function commandsOf({ restartRedis: redis, restartPostgres: postgres, restartTemporal: temporal }: Options): RestartCommands {
  return { ...(redis !== undefined && { redis }), ...(postgres !== undefined && { postgres }), ...(temporal !== undefined && { temporal }) }
}

function chosen(names: readonly string[]): readonly Drill[] {
  const unknown = names.filter((name) => !drills.some((drill) => drill.name === name))
  if (unknown.length > 0) throw usageError(`There is no drill ${unknown.join(', ')}: there are ${drills.map(({ name }) => name).join(', ')}.`)
  return names.length === 0 ? drills : drills.filter(({ name }) => names.includes(name))
}

function mustBeTemporal(settings: Settings): void {
  if (settings.executionMode === 'temporal') return
  throw new RefusedError(
    'Drills break what stands between processes, and here is one process only: set KODO_EXECUTION_MODE=temporal, KODO_TEMPORAL_HOST, KODO_EVENT_TRANSPORT=redis and KODO_REDIS_URL.',
    { code: 'bad_settings' },
  )
}
