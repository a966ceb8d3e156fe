import type { Workspace } from '@koco/core/api'
import { useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { messageOf } from '../api/problem.ts'
import { writeWorkspaceFile } from '../api/workspace.ts'
import { bytes, count } from '../show/format.ts'
import type { GivenFile } from './dropped.ts'

/** Files on their way into a workspace, and what became of the last ones. */
export type WorkspaceUpload = {
  /** How many of how many are there; null when nothing is on its way. */
  readonly under: { readonly done: number; readonly of: number } | null
  readonly said: string | null
  /** One sentence for each file that was not taken. */
  readonly refused: readonly string[]
  add(files: readonly GivenFile[]): Promise<void>
}

const MIB = 2 ** 20

/** What a workspace takes, in one sentence. */
export function limitsOf({ file_bytes_max: file, bytes_max: all }: Pick<Workspace, 'file_bytes_max' | 'bytes_max'>): string {
  return `A file may have ${Math.round(file / MIB)} MiB, all together ${Math.round(all / MIB)} MiB.`
}

/** Puts files into a workspace, one after the other; each is there whole or not at all. */
export function useUpload(id: string, workspace: Workspace | undefined): WorkspaceUpload {
  const client = useQueryClient()
  const [under, setUnder] = useState<WorkspaceUpload['under']>(null)
  const [said, setSaid] = useState<string | null>(null)
  const [refused, setRefused] = useState<readonly string[]>([])
  const add = async (files: readonly GivenFile[]) => {
    if (!workspace || files.length === 0) return
    const before = new Set(workspace.files.map(({ path }) => path))
    const problems: string[] = []
    const there: GivenFile[] = []
    setRefused([])
    setSaid(null)
    for (const [index, given] of files.entries()) {
      setUnder({ done: index, of: files.length })
      try {
        if (given.file.size > workspace.file_bytes_max) throw new Error(`“${given.path}” has ${bytes(given.file.size)}. ${limitsOf(workspace)}`)
        await writeWorkspaceFile(id, given.path, given.file)
        there.push(given)
      } catch (error) {
        problems.push(messageOf(error))
      }
    }
    // What is said to be there stands in the list by then.
    await client.invalidateQueries({ queryKey: ['workspace', id] })
    setUnder(null)
    setRefused(problems)
    setSaid(there.length > 0 ? summary(there.length, there.filter(({ path }) => before.has(path)).length) : null)
  }
  return { under, said, refused, add }
}

function summary(all: number, replaced: number): string {
  const words = all === 1 ? '1 file is there' : `${count(all)} files are there`
  return replaced === 0 ? `${words}.` : `${words}, ${replaced === all ? '' : `${count(replaced)} of them `}in the place of an older one.`
}
