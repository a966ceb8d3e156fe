import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { RefusedError } from '@koco/core'
import { copyFolder, migrateExecutionStore, moveAdmin, moveExecutionStore, openExecutionStore, type ExecutionStore, type MoveReport } from '@koco/storage'
import { Command } from 'commander'
import { usageError } from '../output/exit.ts'
import { printItem } from '../output/table.ts'
import { isPostgres } from '../settings/addresses.ts'
import { outputForm, outputOption, type CommandContext } from './context.ts'

type Options = { readonly from: string; readonly to: string; readonly filesTo?: string; readonly output: string }
/** The places of an embedded installation in its data folder. */
type Source = { readonly data: string; readonly dir: string; readonly adminUrl: string | null }

const TOLD_EVERY = 1_000

/** `koco move`: an installation on files becomes one on Postgres. */
export function moveCommand(context: CommandContext): Command {
  return new Command('move')
    .description(
      'Copy an installation on files into Postgres: runs, events, conversations, schedules, users and keys, with the same ids; compared by count and hash',
    )
    .requiredOption('--from <folder>', 'the data folder, such as ./data, or sqlite:///./data/admin.db in it')
    .requiredOption('--to <url>', 'the new database, postgresql://…')
    .option('--files-to <folder>', 'copy uploads, the files of runs and workspaces into this folder too')
    .addOption(outputOption())
    .action(async (options: Options) => {
      const { io } = context
      if (!isPostgres(options.to)) throw usageError('--to takes a postgresql:// address.')
      const source = findSource(options.from, io.cwd)
      const from = await openExecutionStore({ dir: source.dir, migrate: true })
      try {
        const report = await whileStopped(from, () => move(context, from, source, options))
        if (options.output !== 'table') return printItem(io, outputForm(options), report.digest, report)
        io.out(summary(report))
        io.out(nextSteps(source, options, io.cwd))
      } finally {
        await from.close()
      }
    })
}

async function move(context: CommandContext, from: ExecutionStore, { data, adminUrl }: Source, options: Options): Promise<MoveReport> {
  const { io } = context
  await migrateExecutionStore({ url: options.to })
  const to = await openExecutionStore({ url: options.to })
  try {
    if (adminUrl !== null) {
      const { tables } = await moveAdmin({ url: adminUrl }, { url: options.to })
      io.err(
        `users and keys: ${Object.entries(tables)
          .map(([table, count]) => `${count} ${table}`)
          .join(', ')}`,
      )
    }
    if (options.filesTo !== undefined) await copyFiles(data, resolve(io.cwd, options.filesTo))
    return await moveExecutionStore(from, to, {
      signal: io.stop,
      onProgress: (phase, runs) => {
        if (runs % TOLD_EVERY === 0) io.err(`${phase}: ${runs} runs`)
      },
    })
  } finally {
    await to.close()
  }
}

function findSource(text: string, cwd: string): Source {
  const path = text.replace(/^sqlite:\/\/\//, '').replace(/\/(?:admin\.db|execution\/?)$/, '')
  const data = resolve(cwd, path)
  const dir = join(data, 'execution')
  if (!existsSync(join(dir, 'index.db'))) {
    throw new RefusedError(`There are no runs in ${dir}. Name the data folder of the old installation, such as --from ./data.`, { code: 'no_runs' })
  }
  const admin = join(data, 'admin.db')
  return { data, dir, adminUrl: existsSync(admin) ? `sqlite:///${encodeURI(admin)}` : null }
}

/** A move copies what is there; a koco that goes on writing would leave its newest events behind. */
async function whileStopped<T>(store: ExecutionStore, act: () => Promise<T>): Promise<T> {
  const giveBack = await store.exclusive('direct-launcher')
  if (!giveBack) throw new RefusedError('A koco is running on the old place. Stop it, move, and start it again on the new one.', { code: 'in_use' })
  try {
    return await act()
  } finally {
    await giveBack()
  }
}

async function copyFiles(data: string, target: string): Promise<void> {
  for (const name of ['uploads', 'workspaces', 'checkpoints']) await copyFolder(join(data, name), join(target, name))
}

function summary({ runs, events, unfinished, sessions, schedules, digest }: MoveReport): string {
  const what = `${runs} runs (${unfinished} not over), ${events} events, ${sessions} conversations, ${schedules} schedules`
  return `Moved and compared: ${what}; sha256 ${digest}`
}

function nextSteps({ data }: Source, { to, filesTo }: Options, cwd: string): string {
  const files = filesTo === undefined ? data : resolve(cwd, filesTo)
  const masked = to.replace(/(:\/\/[^:@/]*):[^@]*@/, '$1:…@')
  return [
    'The old place is as it was. Start koco on the new one with',
    `  KODO_EXECUTION_DATABASE=${masked}`,
    `  KODO_ADMIN_DATABASE=${masked}`,
    `  KODO_SECRET_KEY_FILE=${join(data, 'secret.key')}   # with another key nobody's session or API key is known`,
    `  KODO_UPLOAD_DIR=${join(files, 'uploads')}`,
    `  KODO_WORKSPACE_DIR=${join(files, 'workspaces')}`,
    `  KODO_CHECKPOINT_DIR=${join(files, 'checkpoints')}`,
    `  KODO_BLOB_STORE=${pathToFileURL(join(files, 'checkpoints/content')).href}   # where large results and files lie; every host must see it`,
    'Runs that are not over go on there, in direct mode as before.',
  ].join('\n')
}
