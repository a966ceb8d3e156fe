import { RefusedError } from '@koco/core'
import { durationMs, sizeText, type Duration } from '@koco/flow'
import { pruneRuns, type PruneReport } from '@koco/panel'
import { executionSchemaVersion } from '@koco/storage'
import { Command } from 'commander'
import { openContents } from '../compose/contents.ts'
import { archiveFolder, pruneParts, retentionPolicy } from '../compose/retention.ts'
import { executionPlace, openExecution } from '../compose/stores.ts'
import type { Settings } from '../settings/schema.ts'
import { outputForm, outputOption, type CommandContext } from './context.ts'

type Options = { readonly dryRun?: boolean; readonly grace?: string; readonly compact?: boolean; readonly output: string }

/** `koco prune`: on the stores themselves, so it needs no running koco, and one that runs does not mind. */
export function pruneCommand(context: CommandContext): Command {
  const command = new Command('prune')
    .description('Take away runs that are over and that the settings KODO_RETAIN_… do not keep; a running koco is not needed')
    .option('--dry-run', 'only say which would go, and why')
    .option('--grace <time>', 'runs that ended so short a time ago stay, such as 30m or 7d', '1h')
    .option('--compact', 'pack the database afterwards: gives all free space back at once, and whoever writes waits meanwhile')
    .addOption(outputOption())
  return context.withSettings(command).action(async (options: Options) => {
    const { io } = context
    const settings = context.settings(command)
    await mustExist(settings, io.cwd)
    const store = await openExecution(settings, io.cwd)
    const opened = [() => store.close()]
    const { contents, fileContents } = await openContents(settings, io.cwd, opened)
    try {
      const form = outputForm(options)
      const policy = { ...retentionPolicy(settings), graceS: durationMs((options.grace ?? '1h') as Duration, '--grace') / 1000 }
      const report = await pruneRuns(pruneParts(settings, io.cwd, { store, contents, fileContents }), {
        policy,
        archiveDir: archiveFolder(settings, io.cwd),
        dryRun: options.dryRun ?? false,
        signal: io.stop,
        onRun: ({ fid, flow, reason, bytes }) => {
          if (form === 'ids') io.out(fid)
          else if (form === 'table' && options.dryRun) io.out(`${fid}  ${flow}  ${reason}  ${sizeText(bytes)}`)
        },
      })
      if (options.compact && !options.dryRun) await store.keeper.compact()
      if (form === 'json') io.out(JSON.stringify(report, null, 2))
      else if (form === 'table') io.out(summary(report, options.dryRun ?? false, archiveFolder(settings, io.cwd)))
    } finally {
      for (const close of opened.toReversed()) await close()
    }
  })
}

async function mustExist(settings: Settings, cwd: string): Promise<void> {
  const place = executionPlace(settings, cwd)
  const { found } = await executionSchemaVersion(place)
  if (found === 0)
    throw new RefusedError(`There are no runs in ${place.dir ?? 'the database'}. Name the place by KODO_EXEC_DIR or KODO_EXECUTION_DATABASE.`, {
      code: 'no_runs',
    })
}

function summary({ runs, events, bytes, reasons }: PruneReport, dryRun: boolean, archive: string | null): string {
  if (runs === 0) return 'Nothing to take away: all that is over is within the limits.'
  const why = Object.entries(reasons).flatMap(([reason, count]) => (count > 0 ? [`${count} by ${reason}`] : []))
  const what = `${runs} runs with ${events} events, ${sizeText(bytes)} (${why.join(', ')})`
  if (dryRun) return `${what} would go${archive === null ? ' for good' : ` into ${archive}`}.`
  return `${what} ${archive === null ? 'are gone' : `were archived in ${archive}`}.`
}
