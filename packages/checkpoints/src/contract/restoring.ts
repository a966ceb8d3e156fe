// Goal: a checkpoint becomes a session again; the old one is left alone unless it is asked for, and then nothing of it is lost. Method: folders compared file by file.
import { mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { filesIn, type Fixture } from './fixture.ts'

/** restore, in place, dry run. */
export function describeRestoring(fixture: () => Fixture): void {
  const { manager, sessions } = { manager: () => fixture().manager, sessions: () => fixture().sessions }
  const files = { 'a.txt': 'alpha', 'src/b.py': 'print(1)\n', empty: '' }

  test('a new session gets conversation, files and options; the old one is as it was', async () => {
    const old = await sessions().add({ files, record: { uses: [1] } })
    const made = await manager().create(old.id)
    sessions().say(old.id, 'and then?')
    await sessions().write(old.id, 'a.txt', 'changed')
    const before = structuredClone(old)
    const restored = await manager().restore(made.id, { sessionOptions: { model: 'other' } })
    const session = sessions().all.get(restored.sessionId)
    expect(restored.sessionId).not.toBe(old.id)
    expect(session).toMatchObject({ from: old.id, user: 'ada', record: { uses: [1] }, state: { title: 'A trip', temperature: 0.25, model: 'other' } })
    expect(session?.messages.map(({ content }) => content)).toEqual(['hello', 'Good day.'])
    expect(await filesIn(restored.workspace ?? '')).toEqual(files)
    expect(sessions().all.get(old.id)).toEqual(before)
    expect((await filesIn(old.workspace))['a.txt']).toBe('changed')
    expect(restored).toMatchObject({ files: 3, missing: [], before: null })
  })

  test('the id, the folder and the files can be chosen', async () => {
    const old = await sessions().add({ files })
    const made = await manager().create(old.id)
    const restoreDir = await mkdtemp(join(tmpdir(), 'koco-restore-'))
    const restored = await manager().restore(made.id, { newSessionId: 'abcdef012345', restoreDir, include: ['*.py', '*.txt'], exclude: ['a.*'] })
    expect(restored.sessionId).toBe('abcdef012345')
    expect(await filesIn(restoreDir)).toEqual({ 'src/b.py': 'print(1)\n' })
    await expect(manager().restore(made.id, { newSessionId: 'abcdef012345' })).rejects.toMatchObject({ code: 'session_exists' })
    await rm(restoreDir, { recursive: true })
  })

  test('modes come back, and a file of over a hundred megabytes', async () => {
    const old = await sessions().add({ files: { 'run.sh': '#!/bin/sh\n', large: Buffer.alloc(101 * 1024 * 1024, 'a large file ') } })
    const made = await manager().create(old.id)
    const { workspace } = await manager().restore(made.id)
    expect((await stat(join(workspace ?? '', 'large'))).size).toBe(101 * 1024 * 1024)
    expect((await readFile(join(workspace ?? '', 'large'))).equals(await readFile(join(old.workspace, 'large')))).toBe(true)
    expect((await stat(join(workspace ?? '', 'run.sh'))).mode & 0o777).toBe(made.files.find(({ path }) => path === 'run.sh')?.mode)
  })

  test('in place a checkpoint of what is replaced is made first', async () => {
    const old = await sessions().add({ files })
    const made = await manager().create(old.id)
    sessions().say(old.id, 'something that was wrong')
    await sessions().write(old.id, 'a.txt', 'wrong')
    await sessions().write(old.id, 'new/deep/file', 'wrong too')
    await rm(join(old.workspace, 'src/b.py'))
    const restored = await manager().restore(made.id, { inPlace: true })
    expect(restored.sessionId).toBe(old.id)
    expect(await filesIn(old.workspace)).toEqual(files)
    expect(sessions().all.get(old.id)?.messages).toHaveLength(2)
    const back = await manager().restore(restored.before ?? '', { inPlace: true })
    expect(back.before).not.toBeNull()
    expect(await filesIn(old.workspace)).toEqual({ 'a.txt': 'wrong', empty: '', 'new/deep/file': 'wrong too' })
    expect(
      sessions()
        .all.get(old.id)
        ?.messages.map(({ content }) => content),
    ).toContain('something that was wrong')
  })

  test('a session at work is not replaced', async () => {
    const old = await sessions().add({ files })
    const made = await manager().create(old.id)
    old.busy = true
    await expect(manager().restore(made.id, { inPlace: true })).rejects.toMatchObject({ code: 'session_busy' })
    expect((await manager().restore(made.id)).files).toBe(3)
  })

  test('nothing is written through a link', async () => {
    const old = await sessions().add({ files: { 'src/b.py': 'mine' } })
    const made = await manager().create(old.id)
    const outside = await mkdtemp(join(tmpdir(), 'koco-outside-'))
    await rm(join(old.workspace, 'src'), { recursive: true })
    await symlink(outside, join(old.workspace, 'src'))
    await expect(manager().restore(made.id, { inPlace: true })).rejects.toMatchObject({ code: 'bad_path' })
    await rm(join(old.workspace, 'src'))
    await writeFile(join(outside, 'b.py'), 'theirs')
    await sessions().write(old.id, 'src/keep', '')
    await symlink(join(outside, 'b.py'), join(old.workspace, 'src/b.py'))
    await manager().restore(made.id, { inPlace: true })
    expect([await readFile(join(outside, 'b.py'), 'utf8'), await filesIn(old.workspace)]).toEqual(['theirs', { 'src/b.py': 'mine' }])
    await rm(outside, { recursive: true })
  })

  test('files whose content is gone stop a restore, unless they may be left out', async () => {
    const old = await sessions().add({ files: { here: 'here', gone: `gone ${Math.random()}` } })
    const made = await manager().create(old.id)
    const lost = made.files.find(({ path }) => path === 'gone')?.hash ?? ''
    const blobs = {
      ...fixture().blobs,
      touch: async (hashes: readonly string[]) => [...(await fixture().blobs.touch(hashes)), ...hashes.filter((hash) => hash === lost)],
    }
    const broken = fixture().another({ blobs })
    await expect(broken.restore(made.id)).rejects.toMatchObject({ code: 'missing_files', details: ['gone'] })
    const restored = await broken.restore(made.id, { skipMissingFiles: true })
    expect([restored.missing, await filesIn(restored.workspace ?? '')]).toEqual([['gone'], { here: 'here' }])
  })

  test('a dry run says what would change, and changes nothing', async () => {
    const old = await sessions().add({ files })
    const made = await manager().create(old.id)
    sessions().say(old.id, 'more')
    await sessions().write(old.id, 'a.txt', 'changed')
    await sessions().write(old.id, 'extra', 'x')
    await rm(join(old.workspace, 'src/b.py'))
    const before = [await filesIn(old.workspace), structuredClone(old), sessions().all.size]
    expect(await manager().dryRun(made.id, { inPlace: true })).toEqual({
      sessionId: old.id,
      files: { added: ['src/b.py'], changed: ['a.txt'], removed: ['extra'], unchanged: 1 },
      missing: [],
      conversation: { now: 3, copied: 2, common: 2 },
      steps: ['send the letter'],
      locks: ['approve'],
    })
    expect((await manager().dryRun(made.id)).files.removed).toEqual([])
    expect([await filesIn(old.workspace), old, sessions().all.size]).toEqual(before)
  })

  test('a checkpoint of a session that is gone can still be restored', async () => {
    const old = await sessions().add({ files })
    const made = await manager().create(old.id)
    sessions().all.delete(old.id)
    expect(await manager().dryRun(made.id)).toMatchObject({ sessionId: null, files: { added: ['a.txt', 'empty', 'src/b.py'] } })
    expect(await filesIn((await manager().restore(made.id)).workspace ?? '')).toEqual(files)
    await expect(manager().restore(made.id, { inPlace: true })).rejects.toMatchObject({ code: 'unknown_session' })
  })
}
