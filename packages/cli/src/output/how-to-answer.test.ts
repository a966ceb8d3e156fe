// Goal: the command that a follower is shown can be typed as it stands, whatever the form of the question says.
import { expect, test } from 'vitest'
import { howToAnswer } from './how-to-answer.ts'

const HERE = { address: 'http://localhost:3370', profile: null }
const lock = (form: object | null) => ({ fid: 'f', lid: 'l', form: form as never })

test('each field has an example: its standard, its first choice, or one of its type', () => {
  const properties = {
    nice: { type: 'boolean', default: false },
    go: { type: 'boolean' },
    how: { enum: ['fast', 'slow'] },
    count: { type: 'integer', minimum: 3 },
    why: { type: 'string' },
    list: { type: 'array' },
    more: { type: 'string' },
  }
  expect(howToAnswer(lock({ properties }), HERE)).toBe(
    `koco locks answer f l --input nice=false --input go=true --input how=fast --input count=3 --input 'why=…' --input 'list=[]'`,
  )
})

test('the profile by which a panel was found is named, not its address', () => {
  expect(howToAnswer(lock(null), { address: 'https://koco.example.com', profile: 'work' })).toBe('koco locks answer f l --value true --profile work')
})

test('another panel is named, and a question without fields takes a whole answer', () => {
  expect(howToAnswer(lock(null), { address: 'http://127.0.0.1:4000', profile: null })).toBe(
    'koco locks answer f l --value true --address http://127.0.0.1:4000',
  )
})

test('words of an agent stay words for the shell', () => {
  const properties = { note: { type: 'string', default: `it's $(rm -rf /)\u0007` } }
  expect(howToAnswer(lock({ properties }), HERE)).toBe(String.raw`koco locks answer f l --input 'note=it'\''s $(rm -rf /)'`)
})
