import type { CheckpointRow } from '@koco/storage'
import { mustFind, type Parts } from '../parts.ts'
import { absentBlobs } from './integrity.ts'
import { allRows } from './retention.ts'

/** What is wrong with checkpoints. */
export type Validation = { readonly checked: number; readonly errors: readonly { readonly id: string; readonly problem: string }[] }

/** What a repair did: manifests that were rebuilt from the store, and what it could not mend. */
export type Repair = { readonly repaired: readonly string[]; readonly errors: Validation['errors'] }

/** Looks at one checkpoint, or all: is the manifest whole, is everything that it names in the content store; with `deep` every byte is read. */
export async function validate(parts: Parts, options: { readonly id?: string | undefined; readonly deep?: boolean | undefined } = {}): Promise<Validation> {
  const errors: { id: string; problem: string }[] = []
  let checked = 0
  for await (const row of rowsOf(parts, options.id)) {
    checked++
    const problem = (await parts.manifests.fault(row)) ?? (await contentFault(parts, row, options.deep === true))
    if (problem !== null) errors.push({ id: row.id, problem })
  }
  return { checked, errors }
}

/** Writes damaged manifests again, of one checkpoint or of all, from the store. */
export async function repair(parts: Parts, options: { readonly id?: string | undefined } = {}): Promise<Repair> {
  const repaired: string[] = []
  for await (const row of rowsOf(parts, options.id)) {
    if ((await parts.manifests.fault(row)) === null) continue
    const mended = await parts.manifests.restore(row).then(
      () => true,
      () => false, // What stays wrong is told below, with its reason.
    )
    if (mended) repaired.push(row.id)
  }
  return { repaired, errors: (await validate(parts, options)).errors }
}

async function* rowsOf(parts: Parts, id: string | undefined): AsyncGenerator<CheckpointRow> {
  if (id === undefined) yield* allRows(parts.store)
  else yield await mustFind(parts, id)
}

async function contentFault(parts: Parts, row: CheckpointRow, deep: boolean): Promise<string | null> {
  const { files } = await parts.manifests.read(row)
  const absent = await absentBlobs(parts, [row.manifest, ...files.map(({ hash }) => hash)], deep)
  if (absent.size === 0) return null
  const paths = files.filter(({ hash }) => absent.has(hash)).map(({ path }) => path)
  const some = paths.slice(0, 3).join(', ')
  return paths.length === 0
    ? 'its manifest is not in the content store'
    : `the content of ${paths.length} files is gone or damaged: ${some}${paths.length > 3 ? ', …' : ''}`
}
