import { resolve } from 'node:path'
import { sizeText } from '@koco/flow'
import { restoreBackup, takeBackup, verifyBackup, type BackupManifest } from '@koco/storage'
import { Command } from 'commander'
import { backupParts } from '../compose/backup.ts'
import type { Io } from '../output/io.ts'
import { printItem, timeText } from '../output/table.ts'
import { VERSION } from '../version.ts'
import { outputForm, outputOption, type CommandContext } from './context.ts'

/** `koco backup`: on the files themselves, beside a running koco or without one. */
export function backupCommand(context: CommandContext): Command {
  const command = new Command('backup')
    .description(
      'Copy a whole installation on files into a new folder: runs, users, keys, uploads and workspaces, as they are at one moment; it may be running',
    )
    .argument('<folder>', 'the new folder; with --check a backup to look at')
    .option('--check', 'only compare every file of a backup with what was written when it was taken')
    .addOption(outputOption())
  return context.withSettings(command).action(async (folder: string, options: { check?: boolean; output: string }) => {
    const { io } = context
    const target = resolve(io.cwd, folder)
    if (options.check) return tell(io, options, `${target} is whole`, await verifyBackup(target))
    const parts = backupParts(context.settings(command), io.cwd)
    tell(io, options, target, await takeBackup({ parts, target, at: Date.now() / 1000, version: VERSION }))
  })
}

/** `koco restore`: a backup to where the settings point. */
export function restoreCommand(context: CommandContext): Command {
  const command = new Command('restore')
    .description('Put a backup in place, every file checked; nothing is written over. Start koco afterwards: runs that were not over go on')
    .argument('<folder>', 'a folder that koco backup made')
    .addOption(outputOption())
  return context.withSettings(command).action(async (folder: string, options: { output: string }) => {
    const { io } = context
    const manifest = await restoreBackup(resolve(io.cwd, folder), backupParts(context.settings(command), io.cwd))
    tell(io, options, 'Restored', manifest)
  })
}

function tell(io: Io, options: { readonly output: string }, what: string, { runs, files, at, version }: BackupManifest): void {
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0)
  if (options.output === 'table') io.out(`${what}: ${runs} runs, ${files.length} files, ${sizeText(bytes)}, taken ${timeText(at)} by koco ${version}`)
  else printItem(io, outputForm(options), String(at), { runs, files: files.length, bytes, at, version })
}
