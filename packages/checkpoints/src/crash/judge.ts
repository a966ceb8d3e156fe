// A process for killed.crash.test.ts: looks a place through after a death in it, collects, looks again, and does the operation to its end. Ends with an error that says what is wrong.
import { deepEqual, notEqual, ok } from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { ageAll, leaveOrphan, openPlace, type Operation } from './place.ts'

const [dir = '', word = ''] = process.argv.slice(2)
const operation = word as Operation
const place = await openPlace(dir)
const { manager } = place

const before = (await manager.list()).items.map(({ description }) => description)
ok(before.includes('second'), 'the second checkpoint is gone')
ok(operation === 'delete' || before.some((description) => description === 'first' || description === 'changed'), 'the first checkpoint is gone')
deepEqual(await manager.validate({ deep: true }), { checked: before.length, errors: [] })
if (operation === 'in-place') await expectOneOrTheOther()
await leaveOrphan(dir)
await ageAll(dir)
await manager.gc({ graceMs: 0 })
deepEqual(await manager.validate({ deep: true }), { checked: before.length, errors: [] })
await expectNothingLeft()
// The same once more, to its end.
if (operation !== 'delete' || before.includes('first')) notEqual(await place.run(operation), '')
deepEqual((await manager.validate({ deep: true })).errors, [])
await place.close()

/** A restore in place has happened wholly or not at all: before its intent was stored not, afterwards wholly, once the next process has looked after it. */
async function expectOneOrTheOther(): Promise<void> {
  const begun = (await place.tasks()).length > 0
  const now = await place.state()
  await manager.resume()
  deepEqual(await place.tasks(), [])
  const then = await place.state()
  const [target, original] = [JSON.parse(process.argv[4] ?? '') as unknown, JSON.parse(process.argv[5] ?? '') as unknown]
  deepEqual(then, begun ? target : now)
  ok(isDeepStrictEqual(then, target) || isDeepStrictEqual(then, original), 'the session is neither what it was nor what it should be')
}

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
