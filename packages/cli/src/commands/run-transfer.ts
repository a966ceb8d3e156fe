import type { ImportedRun } from '@koco/core/api'
import { createReadStream, createWriteStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { Command, Option } from 'commander'
import { usageError } from '../output/exit.ts'
import { printItem } from '../output/table.ts'
import { CLIENT_SETTINGS, outputForm, outputOption, wholeNumber, type CommandContext } from './context.ts'
import { addRunFilter, runFilterQuery, type RunFilterOptions } from './run-filter.ts'

type ExportOptions = RunFilterOptions & { file?: string; redact?: boolean; format: string; limit?: string }

/** `koco runs export`: a run with its events as JSON lines, or the list of runs as lines or as a table; into a file or onto standard output. */
export function exportCommand(context: CommandContext): Command {
  const command = new Command('export')
    .description('Write a run as JSON lines: first the run, then each of its events. Without an id: the list of runs that the filter shows, a run a line')
    .argument('[fid]')
    .option('--file <path>', 'where to; standard output unless given')
    .addOption(new Option('--format <form>', 'of the list: JSON lines, or a table').choices(['jsonl', 'csv']).default('jsonl'))
    .option('--limit <n>', 'of the list: at most so many, the newest (100000 at most)')
    .option('--redact', 'without what looks like a secret or an address of a person')
  return context.withSettings(addRunFilter(command), CLIENT_SETTINGS).action(async (fid: string | undefined, options: ExportOptions) => {
    const body = await context.client(command).download(exportPath(fid, options))
    if (options.file !== undefined) return pipeline(Readable.from(body), createWriteStream(resolve(context.io.cwd, options.file)))
    for await (const line of linesOf(body)) context.io.out(line)
  })
}

function exportPath(fid: string | undefined, options: ExportOptions): string {
  const query = runFilterQuery(options)
  if (options.limit !== undefined) query.set('limit', String(wholeNumber(options.limit, '--limit')))
  if (options.format !== 'jsonl') query.set('format', options.format)
  if (fid !== undefined && query.size > 0)
    throw usageError('One run is exported whole, as JSON lines. Leave its id out to export the list of runs that a filter shows.')
  if (options.redact) query.set('redact', '1')
  return `/api/runs${fid === undefined ? '' : `/${encodeURIComponent(fid)}`}/export${query.size > 0 ? `?${query.toString()}` : ''}`
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
    const lines = (rest + decoder.decode(chunk, { stream: true })).split(/\r?\n/)
    rest = lines.pop() ?? ''
    yield* lines
  }
  if (rest !== '') yield rest
}
