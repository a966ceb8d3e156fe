import { defineFlow, file, files } from 'koco'
import { z } from 'zod'

/** A field of every kind but files. */
const fields = {
  title: z.string().min(3).max(40).describe('A name of **3 to 40** letters; [Markdown](https://example.com) is fine.'),
  secret: z.string().min(8).meta({ format: 'password' }),
  copies: z.number().int().min(2).max(20).multipleOf(2),
  letter: z.string().min(5).meta({ format: 'textarea' }),
  day: z.iso.date(),
  hour: z.iso.time(),
  moment: z.iso.datetime({ offset: true }),
  agreed: z.literal(true).meta({ title: 'I have read it' }),
  size: z.enum(['small', 'medium', 'large', 'huge']),
  colour: z.enum(['red', 'green', 'blue']),
  days: z.array(z.enum(['mon', 'tue', 'wed', 'thu'])).min(1),
  towns: z.array(z.enum(['Aveiro', 'Braga', 'Coimbra', 'Évora', 'Faro', 'Guarda', 'Lisboa', 'Porto'])).min(2),
  mail: z.email(),
  page: z.url(),
  phone: z
    .string()
    .regex(/^\+\d{6,15}$/, 'Begin with + and give 6 to 15 digits')
    .meta({ format: 'tel' }),
  paint: z.string().meta({ format: 'color' }).default('#336699'),
  volume: z.number().min(0).max(11).meta({ format: 'range' }).default(5),
  campaign: z.string().meta({ format: 'hidden' }).default('spring'),
  address: z.object({ street: z.string().min(1), city: z.string().min(1) }).meta({ title: 'Where to', description: 'A section of its own.' }),
  delivery: z.discriminatedUnion('by', [
    z.object({ by: z.literal('post'), insured: z.boolean().default(false) }).meta({ title: 'By post' }),
    z.object({ by: z.literal('courier'), doorbell: z.string().min(2) }).meta({ title: 'By courier' }),
  ]),
}

/** One form with every kind of field; gives back what it was given, and where its files are. */
export const everyField = defineFlow({
  name: 'every-field',
  summary: 'One form with every kind of field.',
  tags: ['form'],
  inputs: z.object({
    ...fields,
    paper: file({ accept: ['.txt', '.csv'] }),
    pictures: files({ max: 3 }).optional(),
    folder: files({ folder: true, max: 50 }).optional(),
  }),
  run: ({ secret, ...rest }) => ({ ...rest, secret: secret.length }),
})

/** Asks a person by the same form. */
export const asksEveryField = defineFlow({
  name: 'asks-every-field',
  summary: 'Asks by a form with every kind of field.',
  tags: ['form'],
  inputs: z.object({}),
  async run(_inputs, ctx) {
    const { secret, ...rest } = await ctx.lock('everything, please', { form: z.object(fields) })
    return { ...rest, secret: secret.length }
  },
})
