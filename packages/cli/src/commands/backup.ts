import { resolve } from 'node:path'
import { sizeText } from '@koco/flow'
import { restoreBackup, takeBackup, verifyBackup, type BackupManifest } from '@koco/storage'
import { Command } from 'commander'
import { backupParts } from '../compose/backup.ts'
import { timeText } from '../output/table.ts'
import { VERSION } from '../version.ts'
import type { CommandContext } from './context.ts'

/** `koco backup`: on the files themselves, beside a running koco or without one. */
export function backupCommand(context: CommandContext): Command {
  const command = new Command('backup')
    .description(
      'Copy a whole installation on files into a new folder: runs, users, keys, uploads and workspaces, as they are at one moment; it may be running',
    )
    .argument('<folder>', 'the new folder; with --check a backup to look at')
    .option('--check', 'only compare every file of a backup with what was written when it was taken')
  return context.withSettings(command).action(async (folder: string, options: { check?: boolean }) => {
    const { io } = context
    const target = resolve(io.cwd, folder)
    if (options.check) return io.out(`${target} is whole: ${facts(await verifyBackup(target))}`)
    const parts = backupParts(context.settings(command), io.cwd)
    io.out(`${target}: ${facts(await takeBackup({ parts, target, at: Date.now() / 1000, version: VERSION }))}`)
  })
}

/** `koco restore`: a backup to where the settings point. */
export function restoreCommand(context: CommandContext): Command {
  const command = new Command('restore')
    .description('Put a backup in place, every file checked; nothing is written over. Start koco afterwards: runs that were not over go on')
    .argument('<folder>', 'a folder that koco backup made')
  return context.withSettings(command).action(async (folder: string) => {
    const { io } = context
    const manifest = await restoreBackup(resolve(io.cwd, folder), backupParts(context.settings(command), io.cwd))
    io.out(`Restored: ${facts(manifest)}`)
  })
}

function facts({ runs, files, at, version }: BackupManifest): string {
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0)
  return `${runs} runs, ${files.length} files, ${sizeText(bytes)}, taken ${timeText(at)} by koco ${version}`
}
