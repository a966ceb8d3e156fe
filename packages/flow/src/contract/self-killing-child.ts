// A process for crash tests: executes the direct runs of a data folder, one of which kills its process in a step. Arguments: the folder, `start` or `continue`, after how many deaths a run is given up, and
// a file: while it is there, nothing kills.
import { existsSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import { ORIGIN } from '@koco/core'
import { z } from 'zod'
import { createCatalog } from '../catalog.ts'
import { createDirectLauncher } from '../direct/launcher.ts'
import { defineFlow } from '../flow.ts'
import { openEmbedded } from './embedded.ts'

const [dir = '', mode = '', recoveries = '', cure = ''] = process.argv.slice(2)

const killing = defineFlow({
  name: 'killing',
  summary: 'Kills its process in its second step, as a fault in native code or the kernel does.',
  inputs: z.object({}),
  async run(_inputs, ctx) {
    await ctx.step('one', () => 1)
    await ctx.step('parse', async () => {
      if (existsSync(cure)) return
      // What dies before anything of it is stored leaves no name.
      while (!(await begun(ctx.fid))) await setImmediate()
      process.kill(process.pid, 'SIGKILL')
    })
    return 'alive'
  },
})

const { store, transport } = await openEmbedded(dir)

async function begun(fid: string): Promise<boolean> {
  return (await store.reader.read(fid, { after: ORIGIN, kinds: ['step'], limit: 10 })).records.some(({ step }) => step === 'parse')
}

await transport.signals.subscribe('committed', '*', (signal) => {
  if (signal.ended) process.exit(0)
})
const launcher = await createDirectLauncher({ catalog: createCatalog([killing]), store, transport, limits: { recoveries: Number(recoveries) } })
if (mode === 'start') await launcher.start({ flow: 'killing', inputs: {}, user: 'ada', idempotencyKey: null })
setInterval(() => undefined, 60_000)
