// Goal: a process that has stopped executing runs is on no list of workers, even when the store was slow with its last heartbeat. Method: a list whose heartbeats end when they are let.
import { expect, test } from 'vitest'
import { createCatalog } from '../catalog.ts'
import { newDir, openEmbedded } from '../contract/embedded.ts'
import { createDirectLauncher } from './launcher.ts'

test('a heartbeat under way comes before the leaving', async () => {
  const { dir, remove } = await newDir()
  const { store, transport, close } = await openEmbedded(dir)
  const slow = Promise.withResolvers<void>()
  const listed = new Set<string>()
  const flows = {
    ...store.flows,
    async heartbeat({ id }: { readonly id: string }) {
      await slow.promise
      listed.add(id)
    },
    async leave(id: string) {
      listed.delete(id)
      slow.resolve()
    },
  }
  const launcher = await createDirectLauncher({ catalog: createCatalog([]), store: { ...store, flows }, transport })
  const closed = launcher.close(0)
  // Long after whoever does not wait for it has left.
  setTimeout(slow.resolve, 100)
  await closed
  await new Promise(setImmediate)
  expect([...listed]).toEqual([])
  await close()
  await remove()
})
