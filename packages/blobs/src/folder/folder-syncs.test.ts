// Goal: whoever waits for a folder is told only after a sync that began later than they asked, and many share one. Method: syncs that the test ends by hand.
import { expect, test } from 'vitest'
import { FolderSyncs } from './folder-syncs.ts'

function setup() {
  const begun: { readonly path: string; readonly end: PromiseWithResolvers<void> }[] = []
  const syncs = new FolderSyncs((path) => {
    const end = Promise.withResolvers<void>()
    begun.push({ path, end })
    return end.promise
  })
  const ended: string[] = []
  const ask = (name: string, path = 'a'): Promise<unknown> =>
    syncs.sync(path).then(
      () => ended.push(name),
      () => ended.push(`${name} failed`),
    )
  const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
  return { begun, ended, ask, settle }
}

test('those who ask while one is under way share the next, which begins when that is over', async () => {
  const { begun, ended, ask, settle } = setup()
  const all = [ask('first'), ask('second'), ask('third'), ask('elsewhere', 'b')]
  expect(begun.map(({ path }) => path)).toEqual(['a', 'b'])
  begun[0]?.end.resolve()
  await settle()
  expect([ended, begun.length]).toEqual([['first'], 3])
  const fourth = ask('fourth')
  begun[2]?.end.resolve()
  await settle()
  expect([ended, begun.length]).toEqual([['first', 'second', 'third'], 4])
  for (const { end } of begun) end.resolve()
  await Promise.all([...all, fourth])
  void ask('later')
  expect(begun).toHaveLength(5)
})

test('one that fails fails for those who shared it; the next is tried all the same', async () => {
  const { begun, ended, ask, settle } = setup()
  const all = [ask('first'), ask('second')]
  begun[0]?.end.reject(new Error('the disk is full'))
  await settle()
  begun[1]?.end.resolve()
  await Promise.all(all)
  expect(ended).toEqual(['first failed', 'second'])
})
