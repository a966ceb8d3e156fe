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
