import type { Checkpoint } from '@koco/core/api'
import { createReadStream, createWriteStream } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { Command } from 'commander'
import { printEach } from '../output/each.ts'
import { usageError } from '../output/exit.ts'
import { pathOf } from './checkpoint-shape.ts'
import { CLIENT_SETTINGS, outputForm, outputOption, type CommandContext } from './context.ts'

/** export and import. */
export function checkpointContentCommands(context: CommandContext): Command[] {
  return [exportCommand(context), importCommand(context)]
}

function exportCommand(context: CommandContext): Command {
  const command = new Command('export')
    .description('Write a checkpoint with all it holds to a .tar.gz')
    .argument('<id>')
    .argument('[file]', '<id>.tar.gz unless given')
    .addOption(outputOption())
  return context.withSettings(command, CLIENT_SETTINGS).action(async (id: string, given: string | undefined, options: { output: string }) => {
    const file = given ?? `${id}.tar.gz`
    const path = resolve(context.io.cwd, file)
    const part = `${path}.part`
    const content = await context.client(command).download(`${pathOf(id)}/export`)
    try {
      await pipeline(content, createWriteStream(part))
      await rename(part, path)
    } catch (error) {
      await rm(part, { force: true })
      throw error
    }
    context.io.out(outputForm(options) === 'json' ? JSON.stringify({ id, file }) : file)
  })
}

function importCommand(context: CommandContext): Command {
  const command = new Command('import')
    .description('Make checkpoints of archives that export wrote, and print their ids')
    .argument('<file...>')
    .addOption(outputOption())
  return context.withSettings(command, CLIENT_SETTINGS).action(async (files: string[], options: { output: string }) => {
    const client = context.client(command)
    const importOne = async (file: string): Promise<Checkpoint> => {
      const content = createReadStream(resolve(context.io.cwd, file))
      await new Promise<void>((opened, failed) => {
        content.once('open', () => opened()).once('error', (error) => failed(usageError(`${file} cannot be read: ${error.message}`)))
      })
      return await client.upload<Checkpoint>('/api/checkpoints/import', 'application/gzip', content)
    }
    await printEach(context.io, outputForm(options), files, importOne, (made) => made.id)
  })
}
