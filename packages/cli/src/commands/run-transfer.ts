import type { ImportedRun } from '@koco/core/api'
import { createReadStream, createWriteStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { Command } from 'commander'
import { usageError } from '../output/exit.ts'
import { printItem } from '../output/table.ts'
import { CLIENT_SETTINGS, outputForm, outputOption, type CommandContext } from './context.ts'

/** `koco runs export`: a run as JSON lines, into a file or onto standard output. */
export function exportCommand(context: CommandContext): Command {
  const command = new Command('export')
    .description('Write a run as JSON lines: first the run, then each of its events')
    .argument('<fid>')
    .option('--file <path>', 'where to; standard output unless given')
    .option('--redact', 'without what looks like a secret or an address of a person')
  return context.withSettings(command, CLIENT_SETTINGS).action(async (fid: string, options: { file?: string; redact?: boolean }) => {
    const path = `/api/runs/${encodeURIComponent(fid)}/export${options.redact ? '?redact=1' : ''}`
    const body = await context.client(command).download(path)
    if (options.file !== undefined) return pipeline(Readable.from(body), createWriteStream(resolve(context.io.cwd, options.file)))
    for await (const line of linesOf(body)) context.io.out(line)
  })
}

/** `koco runs import`: a run out of such a file, to look at. */
export function importCommand(context: CommandContext): Command {
  const command = new Command('import')
    .description('Read exported runs back in, to look at: each gets an id of its own, is yours, and is over')
    .argument('<file...>', 'files of `koco runs export` or of an archive (.gz), or - for standard input')
    .addOption(outputOption())
  return context.withSettings(command, CLIENT_SETTINGS).action(async (files: string[], options: { output: string }) => {
    const client = context.client(command)
    for (const file of files) {
      const body = file === '-' ? Readable.from([Buffer.from(await context.io.readStdin())]) : await readable(resolve(context.io.cwd, file))
      const imported = await client.upload<ImportedRun>('/api/runs/import', 'application/x-ndjson', body)
      if (options.output === 'table') context.io.out(imported.fid)
      else printItem(context.io, outputForm(options), imported.fid, imported)
    }
  })
}

async function readable(path: string): Promise<Readable> {
  const stats = await stat(path).catch((error: NodeJS.ErrnoException) => {
    throw usageError(`The file ${path} cannot be read (${error.code ?? error.message}).`)
  })
  if (!stats.isFile()) throw usageError(`${path} is no file.`)
  const file = createReadStream(path)
  return path.endsWith('.gz') ? unpack(file) : file
}

/** What an archive of `koco prune` holds, unpacked; a broken file fails the upload. */
function unpack(file: Readable): Readable {
  const unpacked = createGunzip()
  return file.on('error', (error) => unpacked.destroy(error)).pipe(unpacked)
}

async function* linesOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of body) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    yield* lines
  }
  if (rest !== '') yield rest
}
