import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { defineFlow, type FlowContext } from 'koco'
import { z } from 'zod'
import { addRead, NOTHING_READ, readFiles, type FilesRead } from './read-files.ts'
import { reportMarkdown } from './report.ts'
import { listFiles, type FoundFile, type FoundPage } from './walk.ts'

/** Files of one list step: their names must fit into one event of 256 KiB. */
const PAGE_FILES = 500
const BATCH_FILES = 50

/** Walks a folder and reports what is in it. Its steps are keyed by batch, so a killed run goes on with the batches that are left. */
export const folderReport = defineFlow({
  name: 'folder-report',
  summary: 'Reads the text files of a folder and reports sizes, languages and the longest files.',
  description: 'The folder is one of the machine that executes the flow. `node_modules`, `.git`, links, binary files and files above 2 MiB are left out.',
  tags: ['example', 'files'],
  inputs: z.object({
    folder: z.string().min(1).describe('Path of the folder, on the machine that executes the flow'),
    files_max: z.number().int().min(1).max(200_000).default(20_000).describe('Stop after so many files'),
  }),
  async run({ folder: named, files_max: filesMax }, ctx) {
    const folder = await ctx.step('find the folder', { input: named }, () => findFolder(named))
    const { files, cut } = await listAll(ctx, folder, filesMax)
    const read = await readAll(ctx, folder, files)
    const bytes = files.reduce((sum, file) => sum + file.size, 0)
    return ctx.markdown(reportMarkdown({ folder, files: files.length, bytes, read, cutAt: cut ? files.length : null }))
  },
})

async function findFolder(named: string): Promise<string> {
  const folder = resolve(named)
  const found = await stat(folder).catch(() => undefined)
  if (!found) throw new Error(`There is no folder ${folder} on this machine. Give the path of one that exists.`)
  if (!found.isDirectory()) throw new Error(`${folder} is a file, not a folder. Give the path of a folder.`)
  return folder
}

async function listAll(ctx: FlowContext, folder: string, max: number): Promise<{ readonly files: readonly FoundFile[]; readonly cut: boolean }> {
  const files: FoundFile[] = []
  let after: string | null = null
  do {
    const page: FoundPage = await ctx.step('list files', { key: after ?? '', input: after }, () =>
      listFiles(folder, after, Math.min(PAGE_FILES, max - files.length)),
    )
    files.push(...page.files)
    after = page.next
  } while (after !== null && files.length < max)
  return { files, cut: after !== null }
}

async function readAll(ctx: FlowContext, folder: string, files: readonly FoundFile[]): Promise<FilesRead> {
  const batches = Array.from({ length: Math.ceil(files.length / BATCH_FILES) }, (_, index) => files.slice(index * BATCH_FILES, (index + 1) * BATCH_FILES))
  let done = 0
  const readings = await Promise.all(
    batches.map(async (batch, index) => {
      const reading = await ctx.step('read files', { key: index, retries: 2 }, ({ signal }) => readFiles(folder, batch, signal))
      done += 1
      ctx.progress(done, batches.length, `${Math.min(done * BATCH_FILES, files.length)} of ${files.length} files`)
      return reading
    }),
  )
  return readings.reduce(addRead, NOTHING_READ)
}
