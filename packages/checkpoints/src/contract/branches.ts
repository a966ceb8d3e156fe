// Goal: branches are told apart, compared, and become one again by their common ancestor. Method: small histories whose outcome is known.
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Checkpoint } from '../parts.ts'
import { filesIn, type Fixture } from './fixture.ts'

const POEM = 'one\ntwo\nthree\nfour\nfive\nsix\n'

/** listBranches, tree, compare, merge. */
export function describeBranches(fixture: () => Fixture): void {
  const { manager, sessions } = { manager: () => fixture().manager, sessions: () => fixture().sessions }

  /** A base, and two sessions that went on from it differently. */
  async function fork(
    left: Record<string, string | null>,
    right: Record<string, string | null>,
  ): Promise<{ base: Checkpoint; ours: Checkpoint; theirs: Checkpoint }> {
    const one = await sessions().add({ files: { 'poem.txt': POEM, 'same.txt': 'same', 'bin.dat': Buffer.from([0, 1, 2]) } })
    const base = await manager().create(one.id)
    const { sessionId: two } = await manager().restore(base.id)
    const change = async (id: string, files: Record<string, string | null>) => {
      for (const [path, content] of Object.entries(files)) {
        if (content === null) await rm(join(sessions().all.get(id)?.workspace ?? '', path))
        else await sessions().write(id, path, content)
      }
    }
    await change(one.id, left)
    await change(two, right)
    sessions().say(one.id, 'left said')
    sessions().say(two, 'right said')
    const ours = await manager().create(one.id, { parentId: base.id })
    const theirs = await manager().create(two, { parentId: base.id })
    return { base, ours, theirs }
  }

  test('branches have heads, and part at their common ancestor', async () => {
    const { base, ours, theirs } = await fork({ a: '1' }, { b: '2' })
    const later = await manager().create(ours.sessionId, { parentId: ours.id })
    const branches = await manager().listBranches(base.sessionId)
    expect(branches.map(({ head, forkedFrom }) => ({ head, forkedFrom }))).toEqual([
      { head: theirs.id, forkedFrom: null },
      { head: later.id, forkedFrom: base.id },
    ])
    expect(branches.map(({ checkpoints }) => checkpoints)).toEqual([
      [theirs.id, base.id],
      [later.id, ours.id],
    ])
    const tree = await manager().tree(theirs.sessionId)
    expect(tree.nodes.map(({ checkpoint, children }) => [checkpoint.id, children])).toEqual([
      [base.id, [ours.id, theirs.id]],
      [ours.id, [later.id]],
      [theirs.id, []],
      [later.id, []],
    ])
    expect(tree.ancestors).toEqual([{ heads: [theirs.id, later.id], ancestor: base.id }])
  })

  test('a comparison shows files, text, conversation and state', async () => {
    const { base, ours, theirs } = await fork({ 'poem.txt': POEM.replace('two', 'TWO'), 'same.txt': null, extra: 'x' }, { 'bin.dat': 'no longer binary' })
    const { checkpoint1, checkpoint2, ancestor, differences } = await manager().compare(ours.id, theirs.id)
    expect([checkpoint1.id, checkpoint2.id, ancestor]).toEqual([ours.id, theirs.id, base.id])
    expect([differences.files.added, differences.files.removed]).toEqual([['same.txt'], ['extra']])
    expect(differences.files.modified.map(({ path }) => path)).toEqual(['bin.dat', 'poem.txt'])
    const [binary, poem] = differences.files.modified
    expect(binary?.diff).toBeNull()
    expect(poem?.diff).toContain('-TWO\n+two\n')
    expect(differences.conversation).toMatchObject({ common: 2, only1: [{ content: 'left said' }], only2: [{ content: 'right said' }] })
    expect(differences.state).toEqual([])
    const same = await manager().compare(ours.id, ours.id)
    expect(same.differences).toEqual({ files: { added: [], removed: [], modified: [] }, conversation: { common: 3, only1: [], only2: [] }, state: [] })
  })

  test('changes in different places are merged by lines, whichever side has its way', async () => {
    const { base, ours, theirs } = await fork(
      { 'poem.txt': POEM.replace('one', 'ONE'), left: 'l' },
      { 'poem.txt': POEM.replace('six', 'SIX'), 'same.txt': null },
    )
    for (const strategy of ['ours', 'theirs'] as const) {
      const merged = await manager().merge(ours.id, theirs.id, { strategy })
      if (merged.outcome !== 'merged') throw new Error('there are conflicts')
      const { workspace, messages } = sessions().all.get(merged.sessionId) ?? { workspace: '', messages: [] }
      expect(await filesIn(workspace)).toEqual({ 'poem.txt': POEM.replace('one', 'ONE').replace('six', 'SIX'), 'bin.dat': '\0\x01\x02', left: 'l' })
      expect(messages.at(-1)?.['content']).toBe(strategy === 'ours' ? 'left said' : 'right said')
      expect([merged.ancestor, merged.checkpoint.parentId, merged.checkpoint.mergedId]).toEqual([base.id, ours.id, theirs.id])
    }
  })

  test('in a conflict the chosen side has its way, there only', async () => {
    const { ours, theirs } = await fork(
      { 'poem.txt': POEM.replace('two', 'left').replace('six', 'SIX'), 'bin.dat': 'L\0' },
      { 'poem.txt': POEM.replace('two', 'right'), 'bin.dat': 'R\0' },
    )
    for (const [strategy, word, binary] of [
      ['ours', 'left', 'L\0'],
      ['theirs', 'right', 'R\0'],
    ] as const) {
      const merged = await manager().merge(ours.id, theirs.id, { strategy })
      if (merged.outcome !== 'merged') throw new Error('there are conflicts')
      const files = await filesIn(sessions().all.get(merged.sessionId)?.workspace ?? '')
      expect([files['poem.txt'], files['bin.dat']]).toEqual([POEM.replace('two', word).replace('six', 'SIX'), binary])
    }
  })

  test('by hand the conflicts are told, and nothing is made until all are resolved', async () => {
    const { ours, theirs } = await fork(
      { 'poem.txt': POEM.replace('two', 'left'), 'same.txt': null, 'bin.dat': 'L\0' },
      { 'poem.txt': POEM.replace('two', 'right'), 'same.txt': 'changed', 'bin.dat': 'R\0' },
    )
    const [count, checkpoints] = [sessions().all.size, (await manager().totals()).count]
    const told = await manager().merge(ours.id, theirs.id, { strategy: 'manual' })
    if (told.outcome !== 'conflicts') throw new Error('there are none')
    expect(told.files.map(({ path, ours: o, theirs: t, text }) => [path, o !== null, t !== null, text])).toEqual([
      ['bin.dat', true, true, null],
      ['poem.txt', true, true, 'one\n<<<<<<< ours\nleft\n=======\nright\n>>>>>>> theirs\nthree\nfour\nfive\nsix\n'],
      ['same.txt', false, true, null],
    ])
    expect(told.conversation).toMatchObject({ common: 2, ours: [{ content: 'left said' }], theirs: [{ content: 'right said' }] })
    const half = await manager().merge(ours.id, theirs.id, { strategy: 'manual', resolution: { files: { 'bin.dat': 'ours' } } })
    expect(half).toMatchObject({ outcome: 'conflicts', files: [{ path: 'poem.txt' }, { path: 'same.txt' }] })
    expect([sessions().all.size, (await manager().totals()).count]).toEqual([count, checkpoints])
    const files = { 'bin.dat': 'theirs', 'poem.txt': { content: 'resolved\n' }, 'same.txt': 'ours' } as const
    const merged = await manager().merge(ours.id, theirs.id, { strategy: 'manual', resolution: { files, conversation: 'both' } })
    if (merged.outcome !== 'merged') throw new Error('there are conflicts')
    const session = sessions().all.get(merged.sessionId)
    expect(await filesIn(session?.workspace ?? '')).toEqual({ 'bin.dat': 'R\0', 'poem.txt': 'resolved\n' })
    expect(session?.messages.slice(2).map(({ content }) => content)).toEqual(['left said', 'right said'])
  })

  test('a merge is a node with two parents, and the ancestor of the next merge', async () => {
    const { ours, theirs } = await fork({ left: '1' }, { right: '2' })
    const merged = await manager().merge(ours.id, theirs.id, { strategy: 'ours' })
    if (merged.outcome !== 'merged') throw new Error('there are conflicts')
    await sessions().write(theirs.sessionId, 'right', '3')
    const later = await manager().create(theirs.sessionId, { parentId: theirs.id })
    const again = await manager().merge(merged.checkpoint.id, later.id, { strategy: 'manual' })
    expect(again).toMatchObject({ outcome: 'merged', ancestor: theirs.id })
    if (again.outcome === 'merged') expect(await filesIn(sessions().all.get(again.sessionId)?.workspace ?? '')).toMatchObject({ left: '1', right: '3' })
    await expect(manager().merge(ours.id, ours.id, { strategy: 'ours' })).rejects.toMatchObject({ code: 'same_checkpoint' })
  })
}
