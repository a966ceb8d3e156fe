// A process for killed-large.crash.test.ts: executes the direct runs of a data folder whose step gives a large result; kills itself with SIGKILL at the point that it is told. Arguments: the folder, `start` or
// `continue`, the point.
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { createFolderBlobs } from '@koco/blobs'
import { z } from 'zod'
import { createCatalog } from '../catalog.ts'
import { createBlobContents } from '../contents/blob-contents.ts'
import type { Contents } from '../contents/port.ts'
import { createDirectLauncher } from '../direct/launcher.ts'
import { defineFlow } from '../flow.ts'
import { openEmbedded } from './embedded.ts'
import { largeText } from './flows.ts'

const [dir = '', mode = '', deadly = ''] = process.argv.slice(2)
const crash = (point: string): void => {
  if (point === deadly) process.kill(process.pid, 'SIGKILL')
}
const plain = createBlobContents(createFolderBlobs({ dir: join(dir, 'blobs'), crash }), { shared: true })
const contents: Contents = {
  ...plain,
  async keep(text) {
    const kept = await plain.keep(text)
    crash('kept')
    return (
      kept && {
        content: kept.content,
        named() {
          crash('acknowledged')
          kept.named()
        },
      }
    )
  },
}

const makes = defineFlow({
  name: 'makes',
  summary: 'Gives a large result',
  inputs: z.object({}),
  async run(_inputs, ctx) {
    const text = await ctx.step('make', () => {
      appendFileSync(join(dir, 'ledger'), 'made\n')
      return largeText(300)
    })
    return ctx.step('look', () => [text.length, text === largeText(300)])
  },
})

const { store, transport } = await openEmbedded(join(dir, 'data'))
const off = await transport.signals.subscribe('committed', '*', (signal) => {
  if (signal.ended) process.stdout.write(`ended ${signal.fid}\n`)
})
const launcher = await createDirectLauncher({ catalog: createCatalog([makes]), store, transport, contents, owner: mode })
if (mode === 'start') await launcher.start({ flow: 'makes', inputs: {}, user: 'ada', idempotencyKey: null })
process.stdin.on('end', off).resume()
