// Goal: checkpoints are made by themselves, the old ones go, damage is found and mended, and what nobody needs is taken away, never more. Method: a clock that the test sets; files damaged by hand.
import { randomBytes } from 'node:crypto'
import { readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { CheckpointManager } from '../manager.ts'
import type { Fixture } from './fixture.ts'

/** enableAuto, on error, retention, integrity, validate, repair, gc. */
export function describeUpkeep(fixture: () => Fixture): void {
  const { manager, sessions } = { manager: () => fixture().manager, sessions: () => fixture().sessions }
  const idsOf = async (session: string): Promise<string[]> => (await manager().list({ session })).items.map(({ id }) => id)
  const manifestOf = (id: string): string => join(fixture().dir, `${id}.json`)

  /** Waits for what a timer brings about; the deadline is the test's own. */
  async function until(holds: () => Promise<boolean> | boolean): Promise<void> {
    while (!(await holds())) await delay(20)
  }

  test('automatic ones come by the clock while the session changes, and end with it', async () => {
    const { id } = await sessions().add({ files: { a: '1' } })
    const auto = fixture().another({ autoCheckpointIntervalS: 0.05 })
    await auto.enableAuto(id)
    await until(async () => (await idsOf(id)).length === 1)
    const [first] = (await manager().list({ session: id })).items
    expect(first).toMatchObject({ description: expect.stringContaining('auto'), tags: ['auto-save'], origin: 'auto' })
    sessions().say(id, 'something new')
    await until(async () => (await idsOf(id)).length === 2)
    expect(await auto.isAutoEnabled(id)).toBe(true)
    sessions().all.delete(id)
    await until(async () => !(await auto.isAutoEnabled(id)))
    await auto.close()
    expect(await idsOf(id)).toHaveLength(2)
  })

  test('nothing comes for a session that stays as it is, nor after it was disabled', async () => {
    const { id } = await sessions().add({ files: { a: '1' } })
    await manager().create(id)
    const auto = fixture().another()
    let looks = 0
    const read = sessions().read.bind(sessions())
    const counting = fixture().another({
      sessions: Object.assign(Object.create(sessions()) as typeof read & Fixture['sessions'], { read: (of: string) => (looks++, read(of)) }),
    })
    await counting.enableAuto(id, { intervalS: 0.02 })
    await until(() => looks > 3)
    await counting.disableAuto(id)
    await counting.close()
    expect([await idsOf(id).then((ids) => ids.length), await counting.isAutoEnabled(id)]).toEqual([1, false])
    await auto.close()
  })

  test('they go on in the next process, and two processes make no more than one', async () => {
    const { id } = await sessions().add({ files: { a: '1' } })
    const first = fixture().another()
    await first.enableAuto(id, { intervalS: 0.2 })
    await first.close()
    expect(await idsOf(id)).toEqual([])
    const [second, third] = [fixture().another({ clock: Date.now }), fixture().another({ clock: Date.now })]
    await Promise.all([second.resume(), third.resume()])
    expect([await second.autoIntervalS(id), await third.isAutoEnabled(id)]).toEqual([0.2, true])
    for (let n = 1; n <= 3; n++) {
      await until(async () => (await idsOf(id)).length >= n)
      sessions().say(id, `more ${n}`)
    }
    const times = (await manager().list({ session: id })).items.map(({ createdAt }) => createdAt).toSorted((a, b) => a - b)
    // Only ticks that fall together may both make one.
    const gaps = times.slice(1).map((at, i) => at - (times[i] ?? 0))
    expect(gaps.filter((gap) => gap > 0.05 && gap < 0.17)).toEqual([])
    await third.disableAuto(id)
    await second.resume()
    expect(await second.isAutoEnabled(id)).toBe(false)
    await Promise.all([second.close(), third.close()])
  })

  test('a failing turn makes one, tagged so, unless the manager was told not to', async () => {
    const { id } = await sessions().add({ files: { a: '1' } })
    const made = await manager().turnFailed(id, new Error('the model is away'))
    expect(made).toMatchObject({ tags: ['error', 'auto-save'], origin: 'error', description: expect.stringContaining('the model is away') })
    expect(await fixture().another({ checkpointOnError: false }).turnFailed(id, new Error('again'))).toBeUndefined()
    expect(await idsOf(id)).toEqual([made?.id])
  })

  test('beyond the most of a session the oldest go, but for locked ones', async () => {
    const { id } = await sessions().add({ files: { a: '1' } })
    const few = fixture().another({ maxCheckpoints: 3 })
    const made = [await few.create(id), await few.create(id)]
    await few.lock(made[0]?.id ?? '')
    for (let i = 0; i < 4; i++) made.push(await few.create(id))
    const left = await idsOf(id)
    expect(left).toEqual([made[5]?.id, made[4]?.id, made[0]?.id])
    expect((await readdir(fixture().dir)).filter((name) => made.some((one) => name === `${one.id}.json`)).length).toBe(3)
  })

  test('heads of branches stay, and where branches part', async () => {
    const { id } = await sessions().add({ files: { a: '1' } })
    const chain = async (parentId: string | null) => (await manager().create(id, { parentId })).id
    const root = await chain(null)
    const middle = await chain(root)
    const forked = await chain(middle)
    const [left, right] = [await chain(forked), await chain(forked)]
    const [leftHead, rightHead] = [await chain(left), await chain(right)]
    expect(await manager().applyRetention({ sessionId: id, keep: 1 })).toEqual([root, middle, left, right])
    expect(await idsOf(id)).toEqual([rightHead, leftHead, forked])
    expect((await manager().get(leftHead)).parentId).toBe(forked)
    expect(await manager().applyRetention({ sessionId: id, keep: 1 })).toEqual([])
  })

  test('those older than some days go', async () => {
    const { id } = await sessions().add({ files: { a: '1' } })
    const now = fixture().now
    const made: string[] = []
    for (const days of [40, 20, 3, 0]) {
      fixture().now = now - days * 86_400_000
      made.push((await manager().create(id)).id)
    }
    expect(await manager().cleanupOlderThan(10)).toEqual(expect.arrayContaining(made.slice(0, 2)))
    expect(await idsOf(id)).toEqual([made[3], made[2]])
  })

  test('integrity tells what is gone from the workspace, and from the store', async () => {
    const { id, workspace } = await sessions().add({ files: { a: 'a', 'b/c': `c ${randomBytes(4).toString('hex')}` } })
    const made = await manager().create(id)
    expect(await manager().checkIntegrity(made.id)).toEqual({ blobsPresent: true, workspaceMatch: true, allFilesPresent: true, missing: [] })
    await sessions().write(id, 'a', 'changed')
    expect(await manager().checkIntegrity(made.id)).toEqual({ blobsPresent: true, workspaceMatch: false, allFilesPresent: true, missing: [] })
    await rm(join(workspace, 'b'), { recursive: true })
    expect(await manager().checkIntegrity(made.id)).toEqual({ blobsPresent: true, workspaceMatch: false, allFilesPresent: false, missing: ['b/c'] })
    const lost = made.files.find(({ path }) => path === 'a')?.hash
    const blobs = { ...fixture().blobs, stat: (hash: string) => (hash === lost ? Promise.resolve(undefined) : fixture().blobs.stat(hash)) }
    expect(await fixture().another({ blobs }).checkIntegrity(made.id)).toMatchObject({ blobsPresent: false, missing: ['a', 'b/c'] })
  })

  test('a damaged manifest is told, and rebuilt from the store', async () => {
    const made = await manager().create((await sessions().add({ files: { a: 'a' } })).id, { metadata: { keep: 'me' } })
    const whole = await readFile(manifestOf(made.id), 'utf8')
    for (const damage of ['{"format":1', whole.replace('keep', 'kept'), '', 'null']) {
      await writeFile(manifestOf(made.id), damage)
      await expect(manager().get(made.id)).rejects.toMatchObject({ code: 'corrupt_manifest' })
      const { errors } = await manager().validate()
      expect(errors.find(({ id }) => id === made.id)?.problem).toContain('damaged')
      expect(await manager().repair({ id: made.id })).toEqual({ repaired: [made.id], errors: [] })
      expect(await manager().get(made.id)).toEqual(made)
      expect(await readFile(manifestOf(made.id), 'utf8')).toBe(whole)
    }
    expect(await manager().validate({ id: made.id, deep: true })).toEqual({ checked: 1, errors: [] })
  })

  test('a manifest that is missing here, or older than the index, is written again by itself', async () => {
    const made = await manager().create((await sessions().add({ files: { a: 'a' } })).id)
    const older = await readFile(manifestOf(made.id), 'utf8')
    const changed = await manager().update(made.id, { description: 'newer' })
    await writeFile(manifestOf(made.id), older)
    expect(await manager().get(made.id)).toEqual(changed)
    await rm(manifestOf(made.id))
    expect(await manager().get(made.id)).toEqual(changed)
    expect(JSON.parse(await readFile(manifestOf(made.id), 'utf8'))).toMatchObject({ description: 'newer' })
  })

  test('content that is gone shows in what validate says', async () => {
    const made = await manager().create((await sessions().add({ files: { a: `only here ${randomBytes(8).toString('hex')}` } })).id)
    const hash = made.files.find(({ path }) => path === 'a')?.hash
    const blobs = { ...fixture().blobs, stat: (of: string) => (of === hash ? Promise.resolve(undefined) : fixture().blobs.stat(of)) }
    expect(await fixture().another({ blobs }).validate({ id: made.id })).toEqual({
      checked: 1,
      errors: [{ id: made.id, problem: 'the content of 1 files is gone or damaged: a' }],
    })
    await manager().delete(made.id)
  })

  test('a collection keeps all that checkpoints hold, and stops where it cannot know', async () => {
    const { id } = await sessions().add({ files: { a: randomBytes(100), b: randomBytes(100) } })
    const made = await manager().create(id)
    const orphan = join(fixture().dir, `ck${'0'.repeat(24)}.json`)
    await writeFile(orphan, '{}')
    await utimes(orphan, new Date('2020-01-01'), new Date('2020-01-01'))
    const collected = await manager().gc({ graceMs: 0 })
    expect(collected.manifests).toBe(1)
    for (const { hash } of made.files) expect(await fixture().blobs.stat(hash)).toBeDefined()
    const unreadable = { ...fixture().blobs, read: (hash: string) => Promise.reject(new Error(`cannot read ${hash}`)) }
    await expect(fixture().another({ blobs: unreadable }).gc({ graceMs: 0 })).rejects.toThrow('cannot read')
    expect((await buffer((await manager().fileContent(made.id, 'a')).content)).byteLength).toBe(100)
  })

  test('collections beside running creates and deletes take nothing that is needed', async () => {
    const shared = randomBytes(3000)
    const work = async (one: CheckpointManager): Promise<void> => {
      const { id } = await sessions().add({ files: { shared, own: randomBytes(500) } })
      for (let i = 0; i < 4; i++) {
        await sessions().write(id, `file${i}`, randomBytes(50))
        const made = await one.create(id, { incremental: true })
        const later = await one.create(id, { incremental: true })
        await one.delete(made.id)
        expect((await one.validate({ id: later.id, deep: true })).errors).toEqual([])
        if (i % 2 === 1) await one.delete(later.id)
      }
    }
    let working = true
    const collecting = (async () => {
      while (working) await fixture().another().gc({ graceMs: 0 })
    })()
    await Promise.all([work(manager()), work(fixture().another()), work(fixture().another())]).finally(() => (working = false))
    await collecting
    expect((await manager().validate({ deep: true })).errors).toEqual([])
  })
}
