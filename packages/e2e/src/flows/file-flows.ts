import { defineFlow, file, files } from 'koco'
import { z } from 'zod'

/** Says how large its files are, and makes one of each kind that the page can show. */
export const tables = defineFlow({
  name: 'tables',
  summary: 'Reads files and makes some.',
  inputs: z.object({ doc: file({ accept: ['.bin', '.csv'] }), more: files({ max: 5 }).optional() }),
  async run({ doc, more = [] }, ctx) {
    let size = 0
    for await (const chunk of await ctx.files.read(doc)) size += (chunk as Buffer).byteLength
    await ctx.step('write', async () => {
      await ctx.files.write('report.md', `# ${size} bytes\n\n<script>document.title = 'hacked'</script>\n`)
      await ctx.files.write('data/cities.csv', 'name,days\nRome,3\n"Oslo, by boat",1\n')
    })
    return { size, more: await Promise.all(more.map((path) => ctx.files.text(path))) }
  },
})
