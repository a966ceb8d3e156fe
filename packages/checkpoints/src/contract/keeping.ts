// Goal: what a session is and has gets into a checkpoint, byte for byte, and is found again. Method: files and words of every awkward kind.
import { createHash, randomBytes } from 'node:crypto'
import { chmod, mkdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import type { Fixture } from './fixture.ts'

/** create, get, exists, update, delete, fileContent, list, search, lock, size. */
export function describeKeeping(fixture: () => Fixture): void {
  const { manager, sessions } = { manager: () => fixture().manager, sessions: () => fixture().sessions }
  const content = async (id: string, path: string): Promise<Buffer> => await buffer((await manager().fileContent(id, path)).content)

  test('a checkpoint has the files, the conversation, the state and what was said of it', async () => {
    const { id, workspace } = await sessions().add({ files: { 'a.txt': 'alpha', 'src/deep/b.py': 'print(1)\n', '.hidden': 'x' } })
    await chmod(join(workspace, 'src/deep/b.py'), 0o755)
    const metadata = { stage: { name: 'draft', n: [1, { two: null }] }, ok: true }
    const made = await manager().create(id, { description: 'First “ü” 🚂', tags: ['one', 'two'], metadata })
    expect(made).toMatchObject({
      sessionId: id,
      user: 'ada',
      parentId: null,
      mergedId: null,
      description: 'First “ü” 🚂',
      tags: ['one', 'two'],
      metadata,
      lock: null,
    })
    expect(made.conversation).toEqual({ position: 2, messages: 2 })
    expect(made.state).toEqual({ title: 'A trip', temperature: 0.25 })
    const file = made.files.find(({ path }) => path === 'src/deep/b.py')
    expect(file).toMatchObject({ hash: createHash('sha256').update('print(1)\n').digest('hex'), size: 9, mode: 0o755 })
    expect(made.files.map(({ path }) => path)).toEqual(['.session/conversation-00000000.jsonl', '.hidden', 'a.txt', 'src/deep/b.py'])
    expect(await manager().get(made.id)).toEqual(made)
    expect([await manager().exists(made.id), await manager().exists('ck0')]).toEqual([true, false])
    const written = JSON.parse(await readFile(join(fixture().dir, `${made.id}.json`), 'utf8')) as object
    expect(written).toMatchObject({ id: made.id, files: made.files, metadata })
  })

  test('an unknown session and an unknown checkpoint are told', async () => {
    await expect(manager().create('nobody')).rejects.toMatchObject({ code: 'unknown_session' })
    const { id } = await sessions().add()
    await expect(manager().create(id, { parentId: 'ck0' })).rejects.toMatchObject({ code: 'unknown_checkpoint' })
    const asking = [
      () => manager().get('ck0'),
      () => manager().update('ck0', {}),
      () => manager().lock('ck0'),
      () => manager().size('ck0'),
      () => manager().restore('ck0'),
    ]
    for (const ask of asking) {
      await expect(ask()).rejects.toMatchObject({ code: 'unknown_checkpoint' })
    }
    expect(await manager().delete('ck0')).toBe(false)
  })

  test('a session without files still has its conversation in files; an empty one has none', async () => {
    const talk = await manager().create((await sessions().add()).id)
    expect(talk.files).toHaveLength(1)
    expect((await content(talk.id, talk.files[0]?.path ?? '')).toString()).toContain('Good day.')
    const empty = await manager().create((await sessions().add({ texts: [] })).id)
    expect([empty.files, empty.conversation]).toEqual([[], null])
  })

  test('include patterns win, then exclude takes away', async () => {
    const files = { 'a.py': '1', 'b.txt': '2', 'src/c.py': '3', 'src/secret.py': '4', 'node_modules/x/y.js': '5', 'docs/d.md': '6' }
    const { id } = await sessions().add({ files })
    const paths = async (include: string[], exclude: string[]) => {
      const made = await manager().create(id, { include, exclude })
      return made.files.map(({ path }) => path).filter((path) => !path.startsWith('.session'))
    }
    expect(await paths(['*.py'], [])).toEqual(['a.py', 'src/c.py', 'src/secret.py'])
    expect(await paths(['*.py'], ['src/secret.py'])).toEqual(['a.py', 'src/c.py'])
    expect(await paths([], ['node_modules', '*.md'])).toEqual(['a.py', 'b.txt', 'src/c.py', 'src/secret.py'])
    expect(await paths(['src/**', 'docs/'], ['**/secret.*'])).toEqual(['docs/d.md', 'src/c.py'])
  })

  test('links and what is no plain file are passed over, and said', async () => {
    const { id, workspace } = await sessions().add({ files: { 'a.txt': 'a', '.session/fake.jsonl': 'x' } })
    await symlink('/etc/passwd', join(workspace, 'link'))
    const made = await manager().create(id)
    expect(made.files.map(({ path }) => path)).toEqual(['.session/conversation-00000000.jsonl', 'a.txt'])
    expect(made.skipped.map(({ path }) => path).sort()).toEqual(['.session', 'link'])
  })

  test('the bytes of every kind of file come back', async () => {
    const large = randomBytes(6 * 1024 * 1024)
    const files = { empty: '', 'binary.bin': randomBytes(5000), 'Ünï ço/🚂 "q" \'s\'.txt': 'täxt', large, 'two\nlines': 'x' }
    const { id } = await sessions().add({ files })
    const made = await manager().create(id)
    for (const [path, bytes] of Object.entries(files)) expect(await content(made.id, path)).toEqual(Buffer.from(bytes))
    await expect(manager().fileContent(made.id, 'nothing')).rejects.toMatchObject({ code: 'unknown_file' })
  })

  test('words can be changed, and only they are', async () => {
    const made = await manager().create((await sessions().add({ files: { a: 'a' } })).id, { description: 'old', tags: ['old'], metadata: { a: 1 } })
    const changed = await manager().update(made.id, { description: 'new', tags: ['new', 'newer'] })
    expect(changed).toEqual({ ...made, revision: 2, description: 'new', tags: ['new', 'newer'] })
    expect(await manager().get(made.id)).toEqual(changed)
    const both = await Promise.all([manager().update(made.id, { metadata: { b: 2 } }), manager().update(made.id, { description: 'third' })])
    expect(both.map(({ revision }) => revision).sort((a, b) => a - b)).toEqual([3, 4])
    expect(await manager().get(made.id)).toMatchObject({ revision: 4, description: 'third', metadata: { b: 2 }, tags: ['new', 'newer'] })
  })

  test('a deleted checkpoint harms no other one', async () => {
    const { id } = await sessions().add({ files: { shared: 'the same', own: 'first' } })
    const first = await manager().create(id)
    await sessions().write(id, 'own', 'second')
    const second = await manager().create(id, { incremental: true, parentId: first.id })
    const third = await manager().create(id, { incremental: true, parentId: second.id })
    expect(await manager().delete(first.id)).toBe(true)
    await manager().gc({ graceMs: 0 })
    expect(await manager().exists(first.id)).toBe(false)
    await expect(manager().get(first.id)).rejects.toMatchObject({ code: 'unknown_checkpoint' })
    expect((await content(third.id, 'shared')).toString()).toBe('the same')
    expect(await manager().get(second.id)).toMatchObject({ parentId: null })
    expect((await manager().checkIntegrity(third.id)).blobsPresent).toBe(true)
  })

  test('an incremental one takes what changed, and is smaller than its base', async () => {
    const files = Object.fromEntries(Array.from({ length: 20 }, (_none, i) => [`f${i}`, randomBytes(2000)]))
    const { id, workspace } = await sessions().add({ files })
    const past = new Date(Date.now() - 60_000)
    for (const path of Object.keys(files)) await utimes(join(workspace, path), past, past)
    const base = await manager().create(id)
    await sessions().write(id, 'f3', 'changed')
    await rm(join(workspace, 'f4'))
    await sessions().write(id, 'new', 'new')
    const next = await manager().create(id, { incremental: true })
    expect(next.parentId).toBe(base.id)
    expect(next.files.map(({ path }) => path).filter((path) => !path.startsWith('.session'))).toEqual(
      [...Object.keys(files), 'new'].filter((path) => path !== 'f4').sort(),
    )
    expect((await content(next.id, 'f3')).toString()).toBe('changed')
    const [baseSize, nextSize] = [await manager().size(base.id), await manager().size(next.id)]
    expect(nextSize).toBeLessThan(baseSize / 5)
    expect(baseSize).toBeGreaterThan(40_000)
  })

  test('a file that changes without looking so is read again', async () => {
    const { id, workspace } = await sessions().add({ files: { a: 'one' } })
    await manager().create(id)
    const at = new Date()
    await writeFile(join(workspace, 'a'), 'two')
    await utimes(join(workspace, 'a'), at, at)
    const next = await manager().create(id, { incremental: true })
    expect((await content(next.id, 'a')).toString()).toBe('two')
  })

  test('lists and searches are filtered by session, tags, time, words and metadata', async () => {
    const { id } = await sessions().add()
    const one = await manager().create(id, { description: 'Before Lisbon', tags: ['red', 'big'], metadata: { city: { name: 'Lisbon' } } })
    const two = await manager().create(id, { description: 'After', tags: ['red'], metadata: { city: { name: 'Rome' } } })
    const ids = (page: { items: readonly { id: string }[] }) => page.items.map((row) => row.id)
    expect(ids(await manager().list({ session: id }))).toEqual([two.id, one.id])
    expect(ids(await manager().list({ session: id, tags: ['red', 'big'] }))).toEqual([one.id])
    expect(ids(await manager().list({ session: id, from: two.createdAt }))).toEqual([two.id])
    expect(ids(await manager().search({ text: 'lisbon', session: id }))).toEqual([one.id])
    expect(ids(await manager().search({ metadata: { city: { name: 'Rome' } }, session: id }))).toEqual([two.id])
    const page = await manager().list({ session: id, limit: 1 })
    expect(ids(await manager().list({ session: id, limit: 1, cursor: page.next ?? '' }))).toEqual([one.id])
  })

  test('a locked one is not deleted', async () => {
    const { id } = await manager().create((await sessions().add()).id)
    expect(await manager().isLocked(id)).toBe(false)
    await manager().lock(id, { by: 'ada', reason: 'released' })
    expect([await manager().isLocked(id), (await manager().get(id)).lock]).toEqual([true, expect.objectContaining({ by: 'ada', reason: 'released' })])
    await expect(manager().delete(id)).rejects.toMatchObject({ code: 'checkpoint_locked' })
    await manager().unlock(id)
    expect(await manager().delete(id)).toBe(true)
  })

  test('every level gives the same files back', async () => {
    const text = 'again and again '.repeat(500)
    for (const compressionLevel of [0, 1, 9] as const) {
      const { id } = await sessions().add({ files: { text: `${compressionLevel}${text}` } })
      const made = await manager().create(id, { compressionLevel })
      expect((await content(made.id, 'text')).toString()).toBe(`${compressionLevel}${text}`)
      const stored = made.files.find(({ path }) => path === 'text')?.stored ?? 0
      if (compressionLevel === 0) expect(stored).toBeGreaterThan(text.length)
      else expect(stored).toBeLessThan(text.length / 10)
    }
  })

  test('two at once of one session are both whole', async () => {
    const { id, workspace } = await sessions().add({ files: { a: randomBytes(3000), b: 'b' } })
    await mkdir(join(workspace, 'empty folder'))
    const made = await Promise.all(Array.from({ length: 6 }, () => manager().create(id, { incremental: true })))
    expect(new Set(made.map((one) => one.id)).size).toBe(6)
    for (const one of made)
      expect(await manager().checkIntegrity(one.id)).toEqual({ blobsPresent: true, workspaceMatch: true, allFilesPresent: true, missing: [] })
  })
}
