import type { ImportedRun } from '@koco/core/api'
import { api } from './client.ts'

/** Reads an exported run back in; gives the id that it has here. Throws ApiProblem (422) with what is wrong with the file. */
export function importRun(file: Blob): Promise<ImportedRun> {
  return api('/api/runs/import', { method: 'POST', bytes: file, type: 'application/x-ndjson' })
}
