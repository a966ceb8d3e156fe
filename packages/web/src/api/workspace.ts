import { keepPreviousData, queryOptions } from '@tanstack/react-query'
import { api, queryOf } from './client.ts'
import type { RunFile, Workspace } from '@koco/core/api'

/** While a turn runs its workspace is looked at so often; else rarely, for others may write into it too. */
const RUNNING_MS = 2_000
const IDLE_MS = 15_000

/** The workspace of a session; asked again when its talk goes on. What was known stays meanwhile. */
export function workspaceQuery(id: string, mark: { readonly revision: number; readonly running: boolean }) {
  return queryOptions({
    queryKey: ['workspace', id, mark.revision],
    placeholderData: keepPreviousData,
    queryFn: ({ signal }) => api<Workspace>(`/api/session/files${queryOf({ session_id: id })}`, { signal }),
    refetchInterval: mark.running ? RUNNING_MS : IDLE_MS,
  })
}

/** Where a file of a workspace is downloaded. */
export function workspaceFileUrl(id: string, path: string): string {
  return `/api/session/file${queryOf({ session_id: id, path })}`
}

/** Writes a file into a workspace, in the place of one that is there. Throws ApiProblem. */
export async function writeWorkspaceFile(id: string, path: string, content: Blob): Promise<RunFile> {
  const answer = await api<{ file: RunFile }>(workspaceFileUrl(id, path), { method: 'PUT', bytes: content, type: 'application/octet-stream' })
  return answer.file
}

/** Takes a file of a workspace away. */
export function removeWorkspaceFile(id: string, path: string): Promise<unknown> {
  return api(workspaceFileUrl(id, path), { method: 'DELETE' })
}
