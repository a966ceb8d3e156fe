import { renameSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { RefusedError } from '@koco/core'
import { type ColdLoad, rebuild, recoverLostIndex, restoreSnapshot, takeSnapshot } from '@koco/storage'
import { Command } from 'commander'
import { loadInWords, snapshotFolder } from '../compose/snapshots.ts'
import { executionPlace, openExecution } from '../compose/stores.ts'
import { EXIT, usageError } from '../output/exit.ts'
import type { Io } from '../output/io.ts'
import { printItem } from '../output/table.ts'
import type { Settings } from '../settings/schema.ts'
import { outputOption, type CommandContext } from './context.ts'

type Options = { readonly check?: boolean; readonly fromScratch?: boolean; readonly restore?: string; readonly snapshot?: boolean; readonly output: string }

const SHOWN_MAX = 20

/** `koco rebuild`: what is folded from events, made again from them. */
export function rebuildCommand(context: CommandContext): Command {
  const command = new Command('rebuild')
    .description(
      'Fold every run anew from its events and put right what deviates, beside a running koco too; a lost index.db is made again from snapshots and events',
    )
    .option('--check', 'only compare: exit code 1 when anything deviates')
    .option('--from-scratch', 'with SQLite: set index.db aside and make it again from the files of runs alone, without snapshots; koco must not run')
    .option('--restore <file>', 'into an empty store: begin from this snapshot, then fold on what is stored above it; tells the last position')
    .option('--snapshot', 'make a manual snapshot afterwards, which is never pruned')
    .addOption(outputOption())
  return context.withSettings(command).action(async (options: Options) => {
    if (options.check && options.fromScratch) throw usageError('--check writes nothing, --from-scratch writes everything anew: give one of them.')
    if (options.restore !== undefined && (options.check || options.fromScratch))
      throw usageError('--restore goes neither with --check nor with --from-scratch.')
    const settings = context.settings(command)
    const lost = options.check ? null : await makeLost(context, settings, options)
    const store = await openExecution(settings, context.io.cwd)
    try {
      const from = options.restore === undefined ? null : resolve(context.io.cwd, options.restore)
      const loaded = lost ?? (from === null ? null : await restoreSnapshot(store.keeper, from, { launcher: settings.executionMode }))
      const { runs, deviations } = await rebuild(store.keeper, { write: !options.check, signal: context.io.stop })
      if (options.check && deviations.length > 0) context.exit(EXIT.failed)
      const snapshot = options.snapshot ? (await takeSnapshot(store.keeper, snapshotFolder(settings, context.io.cwd), 'manual', Date.now())).path : null
      tell(context.io, options, { loaded, runs, deviations, snapshot })
    } finally {
      await store.close()
    }
  })
}

/** What was found and done. `loaded`: what the index was made from, when it had to be made; `snapshot`: the file of one that was asked for. */
type Report = {
  readonly loaded: ColdLoad | null
  readonly runs: number
  readonly deviations: readonly { readonly fid: string; readonly differs: readonly string[] }[]
  readonly snapshot: string | null
}

function tell(io: Io, options: Options, report: Report): void {
  const { loaded, runs, deviations, snapshot } = report
  if (options.output === 'json') return printItem(io, 'json', '', report)
  if (options.output === 'ids') return deviations.forEach(({ fid }) => io.out(fid))
  if (loaded) io.out(loadInWords(loaded))
  for (const { fid, differs } of deviations.slice(0, SHOWN_MAX)) io.out(`${fid}  ${differs.join(', ')}`)
  if (deviations.length > SHOWN_MAX) io.out(`… and ${deviations.length - SHOWN_MAX} more`)
  const found = deviations.length === 0 ? 'all are equal' : `${deviations.length} deviated${options.check ? '' : ' and were put right'}`
  io.out(`${runs} runs compared with their events: ${found}`)
  if (snapshot !== null) io.out(snapshot)
}

async function makeLost({ io }: CommandContext, settings: Settings, { fromScratch = false, restore }: Options): Promise<ColdLoad | null> {
  const { dir } = executionPlace(settings, io.cwd)
  if (dir === undefined) {
    if (fromScratch) throw usageError('--from-scratch is for SQLite: in Postgres `koco rebuild` folds every run from its first event.')
    return null
  }
  if (fromScratch) await setAside(settings, io.cwd, dir)
  return await recoverLostIndex(dir, snapshotFolder(settings, io.cwd), {
    launcher: settings.executionMode,
    fromScratch,
    ...(restore !== undefined && { from: resolve(io.cwd, restore) }),
  })
}

async function setAside(settings: Settings, cwd: string, dir: string): Promise<void> {
  const store = await openExecution(settings, cwd)
  const giveBack = await store.exclusive('direct-launcher')
  await giveBack?.()
  await store.close()
  if (!giveBack) throw new RefusedError('A koco is running on these runs. Stop it first.', { code: 'in_use' })
  renameSync(join(dir, 'index.db'), join(dir, `index.db.before-${new Date().toISOString().replaceAll(/[-:.]/g, '')}`))
}
