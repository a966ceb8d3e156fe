import { homedir } from 'node:os'
import { join } from 'node:path'
import { findProgram } from './find.ts'
import { findOrInstall, runToEnd } from './install.ts'

/** A program that Go builds from its sources. `folder`: where it is put, in the place of Go's own. */
export type GoProgram = { readonly name: string; readonly source: string; readonly remedy: string; readonly folder?: string }

/** The path of such a program: on the PATH or where Go puts programs, else built by Go (some minutes, once). Throws with the remedy. */
export async function goProgram({ name, source, remedy, folder }: GoProgram): Promise<string> {
  const folders = folder === undefined ? goFolders() : [folder]
  const install = async () => {
    const go = findProgram(['go'], ['/usr/local/go/bin', '/usr/lib/go/bin'])
    if (go === undefined) throw new Error('there is no go on this machine')
    await runToEnd(go, ['install', source], folder === undefined ? {} : { GOBIN: folder })
  }
  return findOrInstall(() => findProgram([name], folders), install, remedy)
}

function goFolders(): string[] {
  const { GOBIN, GOPATH = join(homedir(), 'go') } = process.env
  return [...(GOBIN === undefined ? [] : [GOBIN]), join(GOPATH, 'bin')]
}
