// oxlint-disable eslint/no-console -- a flow's console is captured into its run, and that is what is shown
import { defineFlow } from 'koco'
import { z } from 'zod'

export { chat } from './chat-flows.ts'
export { tables } from './file-flows.ts'
export { everyField } from './form-flows.ts'
export { asked, failing, hostile, signed, spending, stepping, waiting } from './page-flows.ts'
export { everything, ticking } from './rich-flows.ts'

const COLOURS = Array.from({ length: 8 }, (_, n) => `\u001B[3${n}m colour ${n} \u001B[0m\u001B[9${n}m bright \u001B[0m\u001B[4${n}m behind \u001B[0m`)

/** Starts three runs of other flows, one of which fails. */
export const family = defineFlow({
  name: 'family',
  summary: 'Starts other runs and waits for them.',
  tags: ['demo'],
  inputs: z.object({ n: z.number().int().default(1) }),
  async run({ n }, ctx) {
    const children = [await ctx.start('stepping', { n }, { key: 'a' }), await ctx.start('spending', { calls: n }, { key: 'b' })]
    return ctx.wait(children)
  },
})

/** A flow whose names and words are as long as they may be. */
export const longNames = defineFlow({
  name: 'reconcile-quarterly-invoices-of-all-subsidiaries-with-bank-file',
  summary: 'Reads the bank statements of every subsidiary, matches them with what was invoiced, asks about what is left, and writes a report for the auditors.',
  description:
    '# How it works\n\n1. It reads.\n2. It matches.\n3. It **asks**.\n\n| column | meaning |\n|---|---|\n| a | the amount |\n| b | who paid it |\n\n```\nkoco run reconcile\n```\n',
  tags: ['finance', 'quarterly-reporting', 'needs-approval', 'auditors', 'subsidiaries-emea'],
  author: 'Maria-Magdalena von Hohenstein-Waldburg',
  inputs: z.object({
    quarter: z.string().default('2026-Q3'),
    subsidiaries: z.array(z.string()).default(['Aktiengesellschaft für Verkehrswesen und Großanlagen', 'GmbH']),
  }),
  async run({ subsidiaries }, ctx) {
    for (const line of COLOURS) console.log(line)
    // No key of anybody: it looks like one, so that leaving secrets out can be tried.
    console.log('api_key=sk-proj-4aQ9xV2mT7pL0wR8sB1nC6dE3fG5hJ')
    console.error(`\u001B[31mError\u001B[0m: ${'a long line of an error without a place to break '.repeat(8)}${'x'.repeat(400)}`)
    for (const one of subsidiaries) {
      await ctx.step(`Match the bank statement of ${one} with what was invoiced in the quarter`, () => ({ matched: 812, left: 3, of: one }))
    }
    ctx.warning(`Three payments of ${subsidiaries[0] ?? ''} have no invoice.`)
    throw new Error(
      `The bank file of ${subsidiaries[0] ?? ''} ends in the middle of line 4,211: expected 12 columns, found 7. Ask the bank for the file again, or take the line out.`,
    )
  },
})
