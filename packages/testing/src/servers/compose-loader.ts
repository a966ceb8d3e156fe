import { join } from 'node:path'
import { cacheFolder, findProgram } from './find.ts'
import { findOrInstall, runToEnd } from './install.ts'

const VERSION = 'v2.16.2'
const REMEDY = 'Tests of the compose files need the loader of Docker Compose, which Go builds: put go on the PATH.'

/** The program of compose-go, the library with which Docker Compose reads its files: it prints the model of the files that it is given, or what is wrong with them. */
export async function composeLoader(): Promise<string> {
  // Its program is named `cmd`, so it gets a folder of its own.
  const folder = join(cacheFolder(), `compose-go-${VERSION}`)
  const install = async () => {
    const go = findProgram(['go'], ['/usr/local/go/bin', '/usr/lib/go/bin'])
    if (go === undefined) throw new Error('there is no go on this machine')
    await runToEnd(go, ['install', `github.com/compose-spec/compose-go/v2/cmd@${VERSION}`], { GOBIN: folder })
  }
  return findOrInstall(() => findProgram([join('.', 'cmd')], [folder]), install, REMEDY)
}
