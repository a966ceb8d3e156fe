// A process for killed-files.crash.test.ts: writes a large file of a run over an older one, or gives it to another run; kills itself with SIGKILL at the point that it is told. Arguments: the folder, the run,
// the point.
import { join } from 'node:path'
import { createFolderBlobs } from '@koco/blobs'
import { createBlobFiles } from '../contents/blob-files.ts'
import type { FileContents, Kept } from '../contents/port.ts'
import { FileFolder } from '../files/folder.ts'
import { largeText } from './flows.ts'

const [dir = '', fid = '', deadly = ''] = process.argv.slice(2)
const crash = (point: string): void => {
  if (point === deadly) process.kill(process.pid, 'SIGKILL')
}
const plain = createBlobFiles(createFolderBlobs({ dir: join(dir, 'blobs'), crash }), { shared: true })
const watched = (kept: Kept, what: string): Kept => {
  crash(`${what}:kept`)
  return {
    content: kept.content,
    named() {
      crash(`${what}:named`)
      kept.named()
    },
  }
}
const contents: FileContents = {
  ...plain,
  async announce(folder) {
    crash('announce')
    await plain.announce(folder)
    crash('announced')
  },
  keep: async (content) => watched(await plain.keep(content), 'write'),
  async again(content) {
    const kept = await plain.again(content)
    return kept && watched(kept, 'give')
  },
}
const folder = new FileFolder(join(dir, 'uploads'), {}, contents)
await folder.write(fid, 'out/report.txt', largeText(300))
await folder.give(`${fid.slice(0, -1)}0`, 'in/report.txt', { fid, path: 'out/report.txt' })
process.stdout.write('done')
process.exit(0)
