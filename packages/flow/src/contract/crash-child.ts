// A process for crash tests: executes the direct runs of a data folder until it is killed. Arguments: the folder, the ledger file, `start` or `continue`.
import { appendFileSync, readFileSync } from 'node:fs'
import { z } from 'zod'
import { createCatalog } from '../catalog.ts'
import { createDirectLauncher } from '../direct/launcher.ts'
import { defineFlow } from '../flow.ts'
import { openEmbedded } from './embedded.ts'

const [dir = '', ledger = '', mode = ''] = process.argv.slice(2)
const say = (line: string): void => void process.stdout.write(`${line}\n`)
const note = (line: string): number => {
  appendFileSync(ledger, `${line}\n`)
  return readFileSync(ledger, 'utf8').split('\n').length - 1
}

const threeSteps = defineFlow({
  name: 'three-steps',
  summary: 'Appends a line to the ledger in each step; the first process never gets out of the second.',
  inputs: z.object({}),
  async run(_inputs, ctx) {
    ctx.result('outside')
    const one = await ctx.step('one', () => note('one'))
    await ctx.step('two', async () => {
      note('two')
      say('in step two')
      if (mode === 'start') await new Promise(() => undefined)
    })
    return [one, await ctx.step('three', () => note('three'))]
  },
})

const { store, transport } = await openEmbedded(dir)
const ended = await transport.signals.subscribe('committed', '*', (signal) => {
  if (signal.ended) say(`ended ${signal.fid}`)
})
const launcher = await createDirectLauncher({ catalog: createCatalog([threeSteps]), store, transport, owner: mode })
if (mode === 'start') say(`started ${(await launcher.start({ flow: 'three-steps', inputs: {}, user: 'ada', idempotencyKey: null })).fid}`)
process.stdin.on('end', ended).resume()
