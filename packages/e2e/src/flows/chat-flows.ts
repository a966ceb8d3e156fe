import { chatTool, defineChatFlow } from 'koco'
import { z } from 'zod'

/** Answers in conversations by the model of the installation; one of its tools asks a person first. */
export const chat = defineChatFlow({
  name: 'chat',
  summary: 'Answers, looks up the weather, and books after asking.',
  tools: {
    weather: chatTool({ description: 'The weather of a city', input: z.object({ city: z.string() }), run: ({ city }) => `Sunny in ${city}, 24 °C` }),
    book: chatTool({ description: 'Books a train', input: z.object({ to: z.string() }), approve: true, run: ({ to }) => `Booked to ${to}` }),
  },
})

const SCRIBE = `
const fs = require('node:fs')
fs.mkdirSync('data', { recursive: true })
fs.writeFileSync('report.md', '# Cities\\n\\nTwo of **them**.\\n')
fs.writeFileSync('data/cities.csv', 'name,people\\nOslo,700000\\n"Lisbon, old town",100\\n')
console.log(JSON.stringify({ type: 'assistant', message: { content: [{ type: 'text', text: 'Written.' }] } }))
`

/** A program at work in the session's workspace: it writes a report and a table. */
export const scribe = defineChatFlow({
  name: 'scribe',
  summary: 'Writes files into the workspace.',
  command: () => ({ command: [process.execPath, '-e', SCRIBE] }),
})
