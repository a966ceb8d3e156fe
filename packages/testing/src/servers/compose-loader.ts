import { join } from 'node:path'
import { cacheFolder } from './find.ts'
import { goProgram } from './go-program.ts'

const VERSION = 'v2.16.2'
const REMEDY = 'Tests of the compose files need the loader of Docker Compose, which Go builds: put go on the PATH.'

/** The program of compose-go, the library with which Docker Compose reads its files: it prints the model of the files that it is given, or what is wrong with them. */
export function composeLoader(): Promise<string> {
  // Its program is named `cmd`, so it gets a folder of its own.
  const folder = join(cacheFolder(), `compose-go-${VERSION}`)
  return goProgram({ name: 'cmd', source: `github.com/compose-spec/compose-go/v2/cmd@${VERSION}`, remedy: REMEDY, folder })
}
