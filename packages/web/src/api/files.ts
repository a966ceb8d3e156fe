import type { Page, RunFile, Upload } from '@koco/core/api'
import { keepPreviousData, queryOptions } from '@tanstack/react-query'
import { api } from './client.ts'
import { ApiProblem, problemOf, unreachable } from './problem.ts'

/** How many files the page lists. */
export const FILES_SHOWN = 1000

/** The files of a run, by path; `next` tells that there are more. Asked again when `mark` changes; what was known stays meanwhile. */
export function runFilesQuery(fid: string, mark: string) {
  return queryOptions({
    queryKey: ['run-files', fid, mark],
    placeholderData: keepPreviousData,
    queryFn: ({ signal }) => api<Page<RunFile>>(`/api/runs/${fid}/files?limit=${FILES_SHOWN}`, { signal }),
    staleTime: 2000,
  })
}

/** Where a file is downloaded. */
export function fileUrl(fid: string, path: string): string {
  return `/api/runs/${fid}/files/${path.split('/').map(encodeURIComponent).join('/')}`
}

/** The first bytes of a file, and whether that is all of it. Throws ApiProblem. */
export async function fileStart(url: string, file: RunFile, bytes: number, signal: AbortSignal): Promise<{ readonly content: Blob; readonly whole: boolean }> {
  const headers: Record<string, string> = file.size > bytes ? { range: `bytes=0-${bytes - 1}` } : {}
  const response = await fetch(url, { headers, signal, credentials: 'same-origin' }).catch((error: unknown) => {
    throw signal.aborted ? error : unreachable(error)
  })
  if (!response.ok) throw problemOf(response.status, undefined, response.headers.get('retry-after'))
  return { content: await response.blob(), whole: response.status === 200 }
}

/** An upload as it stands on the server; null when it is not there any more. */
export function uploadQuery(id: string) {
  return queryOptions({
    queryKey: ['upload', id],
    queryFn: async ({ signal }) => {
      try {
        return await api<Upload>(`/api/uploads/${id}`, { signal })
      } catch (error) {
        if (error instanceof ApiProblem && (error.status === 404 || error.status === 410)) return null
        throw error
      }
    },
    staleTime: Number.POSITIVE_INFINITY,
  })
}

/** Gives an upload up. */
export function removeUpload(id: string): Promise<unknown> {
  return api(`/api/uploads/${id}`, { method: 'DELETE' })
}
