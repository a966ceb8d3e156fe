// Goal: a conversation is its log: commands come to one entry or say why not, and undone stays undone. Method: each rule against a session of its own.
import { expect, test } from 'vitest'
import type { ExecutionStore } from '../port/execution-store.ts'
import type { ChatMessage } from '../port/sessions.ts'
import { START } from './scenario.ts'
import { message, spent, talkIn } from './talk.ts'

/** The rules of a session in SessionStore. */
export function describeSessions(store: () => ExecutionStore): void {
  const { create, change, contents } = talkIn(store)

  test('a session is as it was made; an id is taken once', async () => {
    const messages = [message('hi', 'user', { extra: [1, { a: null }] }), message([{ type: 'text', text: 'hello' }], 'assistant')]
    const id = await create({ title: 'Greek “ü” 🚂', model: 'tiny', pinned: true, messages, toolCalls: [{ name: 'look' }], parent: 'f'.repeat(12) })
    const session = await store().sessions.get(id)
    expect(session).toEqual({
      id,
      user: 'ada',
      parent: 'f'.repeat(12),
      title: 'Greek “ü” 🚂',
      model: 'tiny',
      workspace: null,
      personality: null,
      project: null,
      flow: null,
      pinned: true,
      archived: false,
      createdAt: START,
      updatedAt: START,
      messageCount: 2,
      revision: 1,
      undone: 0,
      turn: null,
      lastJob: null,
      queued: 0,
      damaged: [],
    })
    expect(await store().sessions.read(id)).toEqual({ session, messages, offset: 0, total: 2, uses: [], toolCalls: [{ name: 'look' }], queue: [], steers: [] })
    await expect(store().sessions.create({ id, user: 'bob', at: START })).rejects.toMatchObject({ code: 'session_exists' })
    expect(await store().sessions.get('0'.repeat(12))).toBeUndefined()
    expect(await store().sessions.read('0'.repeat(12))).toBeUndefined()
    expect(await change('0'.repeat(12), { do: 'redo' })).toEqual({ outcome: 'unknown' })
  })

  test('two messages with one text stay two; an id that is taken is given anew', async () => {
    const twin = message('same')
    const id = await create({ messages: [twin, twin] })
    await change(id, { do: 'append', messages: [twin, message('same')] })
    const ids = (await store().sessions.read(id))?.messages.map((one) => one.id) ?? []
    expect(ids).toHaveLength(4)
    expect(new Set(ids).size).toBe(4)
    expect(await contents(id)).toEqual(['same', 'same', 'same', 'same'])
  })

  test('a window of messages is read with its place', async () => {
    const id = await create({ messages: Array.from({ length: 7 }, (_, i) => message(i)) })
    const read = async (query: object) => {
      const found = await store().sessions.read(id, query)
      return [found?.messages.map(({ content }) => content), found?.offset, found?.total]
    }
    expect(await read({ limit: 3 })).toEqual([[4, 5, 6], 4, 7])
    expect(await read({ limit: 3, before: 4 })).toEqual([[1, 2, 3], 1, 7])
    expect(await read({ limit: 3, before: 1 })).toEqual([[0], 0, 7])
    expect(await read({ limit: 0 })).toEqual([[], 7, 7])
    expect(await read({ before: 99 })).toEqual([[0, 1, 2, 3, 4, 5, 6], 0, 7])
  })

  test('a long talk is made whole, and read a window at a time', async () => {
    const id = await create({ messages: Array.from({ length: 450 }, (_, n) => message(n)) })
    expect(await store().sessions.get(id)).toMatchObject({ revision: 3, messageCount: 450 })
    const found = await store().sessions.read(id, { before: 401, limit: 3 })
    expect([found?.messages.map(({ content }) => content), found?.offset, found?.total]).toEqual([[398, 399, 400], 398, 450])
  })

  test('undo, retry, truncate and redo', async () => {
    const turn = (text: string): ChatMessage[] => [message(text), message(`${text}!`, 'assistant'), message('x', 'tool')]
    const id = await create({ messages: [...turn('one'), ...turn('two'), ...turn('three')] })
    expect(await change(id, { do: 'undo', turns: 2 })).toMatchObject({
      outcome: 'done',
      removed: 6,
      first: { content: 'two' },
      session: { messageCount: 3, undone: 1 },
    })
    expect(await change(id, { do: 'retry' })).toMatchObject({ outcome: 'done', removed: 3, first: { content: 'one' } })
    expect(await change(id, { do: 'undo', turns: 1 })).toEqual({ outcome: 'nothing' })
    expect(await change(id, { do: 'redo' })).toMatchObject({ outcome: 'done', restored: 3 })
    expect(await change(id, { do: 'redo' })).toMatchObject({ outcome: 'done', restored: 6 })
    expect(await change(id, { do: 'redo' })).toEqual({ outcome: 'nothing' })
    expect(await contents(id)).toEqual(['one', 'one!', 'x', 'two', 'two!', 'x', 'three', 'three!', 'x'])
    expect(await change(id, { do: 'truncate', keep: 9 })).toEqual({ outcome: 'nothing' })
    await change(id, { do: 'truncate', keep: 4 })
    await change(id, { do: 'append', messages: [message('new')] })
    expect(await change(id, { do: 'redo' })).toEqual({ outcome: 'nothing' })
    expect(await contents(id)).toEqual(['one', 'one!', 'x', 'two', 'new'])
    expect(await store().sessions.read(id, { revision: 1 })).toMatchObject({ total: 9 })
  })

  test('a stale revision changes nothing; of four at once with one revision one wins', async () => {
    const id = await create({ messages: [message('a'), message('b'), message('c'), message('d'), message('e')] })
    expect(await change(id, { do: 'retry' }, 9)).toEqual({ outcome: 'stale', revision: 1 })
    const outcomes = await Promise.all([1, 2, 3, 4].map(() => change(id, { do: 'retry' }, 1)))
    expect(outcomes.map(({ outcome }) => outcome).toSorted()).toEqual(['done', 'stale', 'stale', 'stale'])
    expect(await contents(id)).toEqual(['a', 'b', 'c', 'd'])
    const free = await Promise.all([1, 2, 3, 4, 5].map(() => change(id, { do: 'retry' })))
    expect(free.map(({ outcome }) => outcome).toSorted()).toEqual(['done', 'done', 'done', 'done', 'nothing'])
    expect(await contents(id)).toEqual([])
  })

  test('what was spent stays spent', async () => {
    const id = await create({ messages: [message('a')], uses: [spent(1, 0.5)] })
    await change(id, { do: 'use', uses: [spent(2)] })
    await change(id, { do: 'undo', turns: 1 })
    expect((await store().sessions.read(id))?.uses).toEqual([spent(1, 0.5), spent(2)])
  })

  test('labels change; archiving and drafts leave the time of the last change alone', async () => {
    const id = await create()
    expect(await store().sessions.draft(id)).toBeNull()
    expect(await store().sessions.setDraft(id, { text: 'half a' })).toBe(true)
    expect(await store().sessions.draft(id)).toEqual({ text: 'half a' })
    await change(id, { do: 'label', labels: { archived: true } })
    expect(await store().sessions.get(id)).toMatchObject({ archived: true, updatedAt: START, revision: 2 })
    await change(id, { do: 'label', labels: { title: 'New', workspace: '/w', pinned: true } })
    expect(await store().sessions.get(id)).toMatchObject({ title: 'New', workspace: '/w', pinned: true, archived: true, updatedAt: START + 10 })
    expect(await store().sessions.draft(id)).toEqual({ text: 'half a' })
    expect(await store().sessions.setDraft('0'.repeat(12), 1)).toBe(false)
  })

  test('deleted is gone, with its log', async () => {
    const id = await create({ messages: [message('secret word')] })
    expect(await store().sessions.delete(id)).toBe(true)
    expect(await store().sessions.delete(id)).toBe(false)
    expect(await store().sessions.get(id)).toBeUndefined()
    expect(await store().sessions.search({ user: 'ada', q: 'secret word', content: true, depth: 9, limit: 9 })).toEqual([])
    await store().sessions.create({ id, user: 'ada', at: START })
    expect(await contents(id)).toEqual([])
  })
}
