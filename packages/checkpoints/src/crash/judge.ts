// A process for killed.crash.test.ts: looks a place through after a death in it, collects, looks again, and does the operation to its end. Ends with an error that says what is wrong.
import { deepEqual, notEqual, ok } from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { ageAll, leaveOrphan, openPlace, type Operation } from './place.ts'

const [dir = '', word = ''] = process.argv.slice(2)
const operation = word as Operation
const place = await openPlace(dir)
const { manager } = place

const before = (await manager.list()).items.map(({ description }) => description)
ok(before.includes('second'), 'the second checkpoint is gone')
ok(operation === 'delete' || before.some((description) => description === 'first' || description === 'changed'), 'the first checkpoint is gone')
deepEqual(await manager.validate({ deep: true }), { checked: before.length, errors: [] })
await leaveOrphan(dir)
await ageAll(dir)
await manager.gc({ graceMs: 0 })
deepEqual(await manager.validate({ deep: true }), { checked: before.length, errors: [] })
await expectNothingLeft()
// The same once more, to its end.
if (operation !== 'delete' || before.includes('first')) notEqual(await place.run(operation), '')
deepEqual((await manager.validate({ deep: true })).errors, [])
await place.close()

/** After a collection there is nothing but what the checkpoints hold. */
async function expectNothingLeft(): Promise<void> {
  const { items } = await manager.list({ limit: 1000 })
  const held = new Set(items.map(({ manifest }) => manifest))
  for (const { id } of items) for (const { hash } of (await manager.get(id)).files) held.add(hash)
  const blobs = (await readdir(join(dir, 'blobs/blobs'), { recursive: true })).filter((path) => path.includes('/')).map((path) => path.split('/')[1] ?? '')
  deepEqual(blobs.sort(), [...held].sort())
  deepEqual((await readdir(join(dir, 'manifests'))).sort(), items.map(({ id }) => `${id}.json`).sort())
  for (const folder of ['tmp', 'trash', 'pins']) deepEqual(await readdir(join(dir, 'blobs', folder)).catch(() => []), [])
}
