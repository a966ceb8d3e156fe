// Goal: a flow works with its files and tells of each that it made exactly once, however often its function is run again. Method: test runs with waits in between, and tries on a scripted run.
import { expect, test } from 'vitest'
import { z } from 'zod'
import { file } from '../files/field.ts'
import { defineFlow } from '../flow.ts'
import { createTestContext, runFlow } from '../testing/index.ts'
import { ScriptedRun, scriptedFlow } from '../testing/scripted-run.ts'

const copy = defineFlow({
  name: 'copy',
  summary: 'Copies a file in capitals',
  inputs: z.object({ source: file() }),
  async run({ source }, ctx) {
    const text = await ctx.files.text(source)
    await ctx.files.write('outside.txt', 'written in each try')
    await ctx.step('write', async () => {
      await ctx.files.write('out/step.txt', text.toUpperCase())
    })
    await ctx.sleep('1h')
    const chunks: string[] = []
    for await (const chunk of await ctx.files.read('out/step.txt')) chunks.push(String(chunk))
    return { read: chunks.join(''), files: (await ctx.files.list()).map(({ path, size }) => `${path} ${size}`), out: (await ctx.files.list('out')).length }
  },
})

test('files are read, written and listed; each is told of once, over tries', async () => {
  const run = await runFlow(copy, { source: 'in/a.txt' }, { files: { 'in/a.txt': 'abc' } })
  expect(run.error).toBeNull()
  expect(run.tries).toBe(2)
  expect(run.final?.value).toEqual({ read: 'ABC', files: ['in/a.txt 3', 'out/outside.txt 19', 'out/step.txt 3'], out: 2 })
  expect(run.events.flatMap((event) => (event.kind === 'upload' ? [event.data] : []))).toEqual([
    { path: 'out/outside.txt', size: 19, type: 'text/plain' },
    { path: 'out/step.txt', size: 3, type: 'text/plain' },
  ])
  expect(Object.keys(run.files)).toEqual(['out/outside.txt', 'out/step.txt'])
  expect(Buffer.from(run.files['out/step.txt'] ?? []).toString()).toBe('ABC')
})

test('what is refused is an error of the flow', async () => {
  const missing = await runFlow(copy, { source: 'in/none.txt' })
  expect(missing).toMatchObject({ status: 'error', error: { code: 'unknown_file' } })
  const { ctx, files, events } = createTestContext({ files: { 'in/b': Buffer.from([1, 2]) } })
  expect([...(await ctx.files.bytes('in/b'))]).toEqual([1, 2])
  await expect(ctx.files.write('in/b', 'x')).rejects.toMatchObject({ code: 'read_only' })
  await expect(ctx.files.write('../x', 'x')).rejects.toMatchObject({ code: 'bad_path' })
  await expect(ctx.files.text('b')).rejects.toMatchObject({ code: 'bad_path' })
  await ctx.files.write('a.txt', ['one', ' two'])
  expect(Object.keys(files())).toEqual(['out/a.txt'])
  await ctx.step('flush', () => null)
  expect(events().map(({ kind }) => kind)).toEqual(['upload', 'step', 'step'])
})

test('where no files are kept, the error says what to set', async () => {
  const run = new ScriptedRun(scriptedFlow((ctx) => ctx.files.list()))
  expect(await run.attempt()).toMatchObject({ outcome: 'failed', error: { code: 'no_files' } })
})
