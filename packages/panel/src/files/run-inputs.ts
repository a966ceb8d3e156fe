import { basename, extname } from 'node:path'
import { isFid, type Json } from '@koco/core'
import {
  fileValues,
  isAccepted,
  runFilesTooLarge,
  sidedPath,
  tooManyFiles,
  withValueAt,
  type FieldError,
  type FileFolder,
  type FileLimits,
  type FileValue,
  type GivenFrom,
} from '@koco/flow'
import type { RunStore } from '@koco/storage'
import { can, type Principal } from '../auth/permissions.ts'
import { ProblemError } from '../server/problems.ts'
import { isUploadId, type UploadRecord } from './records.ts'
import type { Given } from './starting.ts'
import type { Uploads } from './uploads.ts'

/** What finding files needs. */
export type FileSources = { readonly uploads: Uploads; readonly folder: FileFolder; readonly runs: Pick<RunStore, 'get'>; readonly limits: FileLimits }

/** The files that inputs name, found and complete: what to give to the run, the uploads that it uses up, and the inputs with the paths that the files will have. */
export type FoundFiles = {
  readonly given: readonly Given[]
  readonly used: readonly { readonly record: UploadRecord; readonly path: string }[]
  readonly inputs: Json
}

type Source = { readonly name: string; readonly from: GivenFrom; readonly size: number; readonly record: UploadRecord | null }

/**
 * Finds the files of inputs: each the id of a complete upload of this user, or `<fid>/out/<path>` of a run that they may see. `taken`: paths that the run has already. Undefined when the schema
 * knows no files in these inputs. Problem 422 `invalid_inputs` with the fields, 409 `files_incomplete` when nothing but bytes is missing.
 */
export async function findFiles(
  sources: FileSources,
  who: Principal,
  ask: { readonly schema: Json; readonly inputs: Json; readonly taken?: () => Promise<readonly string[]> },
): Promise<FoundFiles | undefined> {
  const values = fileValues(ask.schema, ask.inputs)
  if (values.length === 0) return undefined
  const found = new Map<string, Source>()
  const wrong: FieldError[] = []
  const late: FieldError[] = []
  for (const value of values) {
    const source = found.get(value.value) ?? (await findOne(sources, who, value.value))
    const fault = typeof source === 'string' ? source : refused(value, source)
    if (typeof source === 'string' || fault !== undefined) wrong.push({ path: value.pointer, message: fault ?? '' })
    else {
      found.set(value.value, source)
      const missing = source.record && percentOf(source.record)
      if (typeof missing === 'string') late.push({ path: value.pointer, message: missing })
    }
  }
  if (wrong.length > 0) throw problem(422, 'invalid_inputs', wrong)
  if (late.length > 0) throw problem(409, 'files_incomplete', late)
  checkLimits([...found.values()], sources.limits)
  return arrange(found, values, ask.inputs, (await ask.taken?.()) ?? [])
}

async function findOne(sources: FileSources, who: Principal, value: string): Promise<Source | string> {
  try {
    return isUploadId(value) ? await fromUpload(sources, who, value) : await fromRun(sources, who, value)
  } catch (error) {
    if (error instanceof ProblemError) return sentence(error.message)
    return 'Is no file of yours: send it to /api/uploads and give its id here, or name a file of a run as <fid>/out/<path>.'
  }
}

async function fromUpload({ uploads, folder }: FileSources, who: Principal, id: string): Promise<Source> {
  const record = await uploads.find(who.user, id)
  if (!record.placed) return { name: record.name, from: { upload: uploads.pathOf(record) }, size: record.size, record }
  // Used by an earlier run already, or by the first of two equal requests: the bytes are the same.
  const { fid, path } = record.placed
  const opened = await folder.openFile(fid, path)
  await opened.close()
  return { name: record.name, from: { fid, path }, size: opened.file.size, record: null }
}

async function fromRun({ folder, runs }: FileSources, who: Principal, value: string): Promise<Source> {
  const fid = value.slice(0, 24)
  const { path, rest } = sidedPath(value.slice(25))
  const run = isFid(fid) && value[24] === '/' ? await runs.get(fid) : undefined
  if (!run || !can(who, 'files.read', run)) throw new ProblemError(404, 'unknown_file', 'There is no such file among the runs that you may see.')
  const opened = await folder.openFile(fid, path)
  await opened.close()
  return { name: rest, from: { fid, path }, size: opened.file.size, record: null }
}

function refused({ accept }: FileValue, { name }: Source): string | undefined {
  return accept === null || isAccepted(name, accept) ? undefined : `"${name}" is not among what this field takes: ${accept.join(', ')}.`
}

function percentOf({ name, offset, size }: UploadRecord): string | undefined {
  return offset >= size ? undefined : `"${name}" is not complete yet: ${Math.floor((offset / size) * 100)} % of it is here.`
}

function problem(status: number, code: string, errors: readonly FieldError[]): ProblemError {
  const first = errors[0]
  const what = status === 409 ? 'The run starts when its files are complete' : 'The inputs name files that cannot be given to the run'
  return new ProblemError(status, code, `${what}. ${first?.path ?? ''}: ${first?.message ?? ''}`, { errors })
}

function checkLimits(files: readonly Source[], limits: FileLimits): void {
  if (files.length > limits.filesMax) throw tooManyFiles(limits)
  if (files.reduce((sum, one) => sum + one.size, 0) > limits.runBytesMax) throw runFilesTooLarge(limits)
}

function arrange(found: ReadonlyMap<string, Source>, values: readonly FileValue[], inputs: Json, before: readonly string[]): FoundFiles {
  const taken = { files: new Set(before.map((path) => path.toLowerCase())), folders: new Set(before.flatMap(foldersOf)) }
  const paths = new Map<string, string>()
  const given: Given[] = []
  const used: FoundFiles['used'][number][] = []
  for (const [value, { name, from, record }] of found) {
    const path = freePath(`in/${name}`, taken)
    paths.set(value, path)
    given.push({ from, path })
    if (record) used.push({ record, path })
  }
  return { given, used, inputs: values.reduce((all, { pointer, value }) => withValueAt(all, pointer, paths.get(value) ?? ''), inputs) }
}

/** The path, or one beside it that is free; names that differ in case only are not free, since some disks take them for one. */
function freePath(path: string, { files, folders }: Taken): string {
  const wanted = foldersOf(path).some((folder) => files.has(folder)) ? `in/${basename(path)}` : path
  const ending = extname(wanted)
  const stem = wanted.slice(0, wanted.length - ending.length)
  let free = wanted
  for (let count = 2; files.has(free.toLowerCase()) || folders.has(free.toLowerCase()); count += 1) free = `${stem}-${count}${ending}`
  files.add(free.toLowerCase())
  for (const folder of foldersOf(free)) folders.add(folder)
  return free
}

type Taken = { readonly files: Set<string>; readonly folders: Set<string> }

function foldersOf(path: string): string[] {
  const parts = path.toLowerCase().split('/').slice(0, -1)
  return parts.map((_part, index) => parts.slice(0, index + 1).join('/')).slice(1)
}

function sentence(text: string): string {
  return text.endsWith('.') ? text : `${text}.`
}
