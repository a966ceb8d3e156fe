// Goal: sessions are listed and searched as people expect, each user's alone. Method: a user of its own for each rule.
import { expect, test } from 'vitest'
import type { ExecutionStore } from '../port/execution-store.ts'
import { START } from './scenario.ts'
import { message, talkIn } from './talk.ts'

/** The rules of lists and searches in SessionStore. */
export function describeSessionLists(store: () => ExecutionStore): void {
  const { create, change } = talkIn(store)

  test('lists go pinned first, then the latest, page by page, of one user', async () => {
    const user = 'lister'
    const ids = []
    for (const [n, more] of [{}, { pinned: true }, { archived: true }, {}].entries())
      ids.push(await create({ user, at: START + n, title: `Trip ${n}`, ...more }))
    const [oldest, pinned, archived, latest] = ids
    const list = async (query: object) => (await store().sessions.list({ user, limit: 10, ...query })).items.map(({ id }) => id)
    expect(await list({})).toEqual([pinned, latest, archived, oldest])
    expect(await list({ archived: false })).toEqual([pinned, latest, oldest])
    expect(await list({ q: 'TRIP 0' })).toEqual([oldest])
    const first = await store().sessions.list({ user, limit: 3 })
    const second = await store().sessions.list({ user, limit: 3, cursor: first.next ?? '' })
    expect([first.items.length, second.items.map(({ id }) => id), second.next]).toEqual([3, [oldest], null])
    await expect(store().sessions.list({ user, limit: 1, cursor: 'nonsense' })).rejects.toMatchObject({ code: 'bad_cursor' })
  })

  test('a search finds titles and what was said, not what was undone or is too deep', async () => {
    const user = 'seeker'
    const titled = await create({ user, title: 'All about Übung', at: START })
    const talk = await create({ user, messages: [message('An “ÜBUNG” in "quotes"'), message('unrelated', 'assistant')], at: START + 1 })
    const deep = await create({ user, messages: [message('a'), message('b'), message([{ type: 'text', text: 'deep übung' }])], at: START + 2 })
    const undone = await create({ user, messages: [message('übung')], at: START + 3 })
    await change(undone, { do: 'undo', turns: 1 })
    const search = async (q: string, more: object = {}) =>
      (await store().sessions.search({ user, q, content: true, depth: 2, limit: 10, ...more })).map(({ session, match, preview }) => [
        session.id,
        match,
        preview,
      ])
    expect(await search('übung')).toEqual([
      [titled, 'title', 'All about Übung'],
      [talk, 'content', 'An “ÜBUNG” in "quotes"'],
    ])
    expect(await search('übung', { depth: 5 })).toContainEqual([deep, 'content', 'deep übung'])
    expect(await search('"quotes" übung')).toHaveLength(1)
    expect(await search('übung', { content: false })).toHaveLength(1)
    expect(await search('übung', { user: 'ada' })).toEqual([])
  })
}
