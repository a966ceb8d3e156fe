import { globSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { cacheFolder, findProgram } from './find.ts'
import { findOrInstall, unpackDebian } from './install.ts'

const REMEDY =
  'Tests need Redis 7 or later: put redis-server on the PATH (Debian: apt-get install redis-server; macOS: brew install redis) or set KODO_TEST_REDIS_URL.'

/** The redis-server of this machine: on the PATH, else Debian's, unpacked into the user's cache: that needs no rights and starts no service. */
export async function redisProgram(): Promise<{ readonly command: string; readonly env: NodeJS.ProcessEnv }> {
  const unpacked = join(cacheFolder(), 'redis')
  const find = () => findProgram(['redis-server'], [join(unpacked, 'usr/bin')])
  const install = async () => await unpackDebian(['redis-server', 'redis-tools'], unpacked)
  const command = await findOrInstall(find, install, REMEDY)
  return { command, env: command.startsWith(unpacked) ? { LD_LIBRARY_PATH: libraryFolders(unpacked) } : {} }
}

function libraryFolders(folder: string): string {
  const libraries = globSync([join(folder, 'usr/lib/**/*.so*'), join(folder, 'lib/**/*.so*')])
  return [...new Set(libraries.map((file) => dirname(file)))].join(':')
}
