// Goal: a run is started when its files are there, and the person is told when one does not go on. Method: promises in the place of uploads.
import { expect, test } from 'vitest'
import { filesSent, forgetPending, notePending } from './pending.ts'
import { previewKind } from './preview-kind.ts'

test('starting waits for the uploads that the inputs name, wherever they stand, and for no other', async () => {
  const one = Promise.withResolvers<void>()
  const two = Promise.withResolvers<void>()
  notePending('id-1', () => one.promise)
  notePending('id-2', () => two.promise)
  notePending('id-3', () => Promise.reject(new Error('not asked for')))
  let sent = false
  const waiting = filesSent({ a: 'id-1', b: [{ c: 'id-2' }, 7, null] }).then(() => (sent = true))
  one.resolve()
  await one.promise
  expect(sent).toBe(false)
  two.resolve()
  await waiting
  await expect(filesSent(['id-3'])).rejects.toThrow('not asked for')
  forgetPending('id-3')
  await filesSent(['id-3'])
})

test.each([
  ['text/markdown', 'markdown'],
  ['text/csv', 'table'],
  ['image/svg+xml', 'image'],
  ['text/html', 'text'],
  ['application/json', 'text'],
  ['application/pdf', null],
])('%s is shown as %s', (type, kind) => expect(previewKind({ type })).toBe(kind))
