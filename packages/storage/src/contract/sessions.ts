// Goal: a conversation is its log: commands come to one entry or say why not, undone stays undone, what is damaged is told and harms nothing else. Method: each rule against a session of its own, then
// random commands against a model of ten lines, the store opened again in between.
import { randomBytes } from 'node:crypto'
import type { ExecutionStore } from '../port/execution-store.ts'
import type { ChatMessage, CommandOutcome, ModelUse, NewSession, SessionCommand } from '../port/sessions.ts'
import { expect, test } from 'vitest'
import { START, type OpenFixture } from './scenario.ts'
import { describeSessionModel } from './session-model.ts'

let made = 0

/** A message with an id of its own. */
export function message(content: ChatMessage['content'], role = 'user', more: object = {}): ChatMessage {
  made += 1
  return { id: `m${made}`, role, content, ...more }
}

const spent = (output: number, cost: number | null = null): ModelUse => ({
  provider: 'local',
  model: 'tiny',
  at: START,
  tokens: { input_uncached: 1, cache_read: 2, cache_write: 3, output, reasoning: 4 },
  cost,
})

/** The rules of SessionStore. */
export function describeSessions(store: () => ExecutionStore, open: OpenFixture): void {
  const create = async (more: Partial<NewSession> = {}): Promise<string> => {
    const id = randomBytes(6).toString('hex')
    await store().sessions.create({ id, user: 'ada', at: START, ...more })
    return id
  }
  const change = (id: string, command: SessionCommand, expectedRevision?: number): Promise<CommandOutcome> =>
    store().sessions.change(id, command, { at: START + 10, ...(expectedRevision !== undefined && { expectedRevision }) })
  const contents = async (id: string): Promise<unknown[]> => (await store().sessions.read(id))?.messages.map(({ content }) => content) ?? []

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

  test('a turn holds its session and is ended once', async () => {
    const id = await create()
    const start = (fid: string): Promise<CommandOutcome> =>
      change(id, { do: 'start-turn', fid, kind: 'chat', message: message('Who?'), labels: { title: 'Who?' } })
    const outcomes = await Promise.all(['f1', 'f2', 'f3'].map(start))
    const won = outcomes.flatMap((one) => (one.outcome === 'done' ? [one.session.turn?.fid ?? ''] : []))
    expect(won).toHaveLength(1)
    const [fid = ''] = won
    expect(outcomes.filter(({ outcome }) => outcome === 'busy')).toEqual([
      { outcome: 'busy', fid },
      { outcome: 'busy', fid },
    ])
    for (const command of [{ do: 'retry' }, { do: 'undo', turns: 1 }, { do: 'redo' }, { do: 'truncate', keep: 0 }] as const)
      expect(await change(id, command)).toEqual({ outcome: 'busy', fid })
    expect((await store().sessions.held(null, 1000)).map((one) => one.id)).toContain(id)
    const end = { do: 'end-turn', fid, end: 'finished', messages: [message('I.', 'assistant')], uses: [spent(7)] } as const
    expect(await change(id, end)).toMatchObject({ outcome: 'done', session: { turn: null, title: 'Who?', messageCount: 2 } })
    expect(await change(id, end)).toEqual({ outcome: 'over' })
    expect(await change(id, { ...end, fid: 'nobody' })).toEqual({ outcome: 'idle' })
    expect(await contents(id)).toEqual(['Who?', 'I.'])
    expect((await store().sessions.held(null, 1000)).map((one) => one.id)).not.toContain(id)
  })

  test('a turn that never began leaves no trace in the talk', async () => {
    const id = await create({ messages: [message('before')] })
    await change(id, { do: 'start-turn', fid: 'f', kind: 'chat', message: message('lost') })
    expect(await change(id, { do: 'abandon-turn', fid: 'f' })).toMatchObject({ outcome: 'done', session: { turn: null, messageCount: 1 } })
    expect(await change(id, { do: 'abandon-turn', fid: 'f' })).toEqual({ outcome: 'over' })
    expect(await contents(id)).toEqual(['before'])
  })

  test('what waits is said in order; what was steered and not heard comes first', async () => {
    const id = await create()
    expect(await change(id, { do: 'start-turn', fid: 'f0', kind: 'chat', message: 'next' })).toEqual({ outcome: 'nothing' })
    expect(await change(id, { do: 'steer', id: 's', text: 'too early' })).toEqual({ outcome: 'idle' })
    await change(id, { do: 'start-turn', fid: 'f1', kind: 'chat', message: message('go') })
    await change(id, { do: 'queue', id: 'q1', message: message('then'), model: 'big' })
    await change(id, { do: 'queue', id: 'q2', message: message('never'), model: null })
    await change(id, { do: 'steer', id: 's1', text: 'heard' })
    await change(id, { do: 'steer', id: 's2', text: 'not heard' })
    expect((await store().sessions.read(id))?.steers).toEqual([
      { id: 's1', text: 'heard' },
      { id: 's2', text: 'not heard' },
    ])
    expect(await change(id, { do: 'unqueue', id: 'q2' })).toMatchObject({ outcome: 'done', session: { queued: 1 } })
    expect(await change(id, { do: 'unqueue', id: 'q2' })).toEqual({ outcome: 'nothing' })
    await change(id, { do: 'end-turn', fid: 'f1', end: 'finished', messages: [], uses: [], heard: ['s1'] })
    expect((await store().sessions.read(id))?.queue.map(({ message: { content }, model }) => [content, model])).toEqual([
      ['not heard', null],
      ['then', 'big'],
    ])
    expect((await store().sessions.held(null, 1000)).map((one) => one.id)).toContain(id)
    await change(id, { do: 'start-turn', fid: 'f2', kind: 'chat', message: 'next' })
    await change(id, { do: 'end-turn', fid: 'f2', end: 'finished', messages: [], uses: [] })
    expect(await change(id, { do: 'start-turn', fid: 'f3', kind: 'chat', message: 'next' })).toMatchObject({ session: { model: 'big', queued: 0 } })
    expect(await contents(id)).toEqual(['go', 'not heard', 'then'])
  })

  test('a talk is made shorter by its turn', async () => {
    const id = await create({ messages: [1, 2, 3, 4].map((n) => message(n)) })
    await change(id, { do: 'start-turn', fid: 'f', kind: 'compress' })
    await change(id, { do: 'end-turn', fid: 'f', end: 'finished', messages: [message('1 to 3')], uses: [], replace: 3 })
    expect(await contents(id)).toEqual(['1 to 3', 4])
    expect(await store().sessions.get(id)).toMatchObject({ turn: null, lastJob: { fid: 'f', end: 'finished' } })
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

  test('damage is found, told, and harms nothing else', async () => {
    const fixture = await open()
    try {
      const { sessions } = fixture.store
      const make = async (id: string): Promise<void> => {
        await sessions.create({ id, user: 'ada', at: START, messages: [message('first')] })
        await sessions.change(id, { do: 'append', messages: [message('second', 'assistant')] }, { at: START })
      }
      for (const id of ['aaaaaaaaaaaa', 'bbbbbbbbbbbb', 'cccccccccccc', 'dddddddddddd']) await make(id)
      await fixture.damage(
        `UPDATE session_entries SET body = '{"messages":[{"id":"x","role":"user","content":"forged"}]}' WHERE session = 'aaaaaaaaaaaa' AND revision = 2`,
      )
      await fixture.damage(`UPDATE session_entries SET head = '{"kind":"truncated","keep":0}' WHERE session = 'bbbbbbbbbbbb' AND revision = 2`)
      await fixture.damage(`UPDATE chat_sessions SET session = '{"id":' WHERE id = 'cccccccccccc'`)
      const [a, b, c, d] = await Promise.all(['aaaaaaaaaaaa', 'bbbbbbbbbbbb', 'cccccccccccc', 'dddddddddddd'].map((id) => sessions.read(id)))
      expect(a?.messages).toMatchObject([{ content: 'first' }, { content: '', role: 'assistant', damaged: true }])
      expect(b).toMatchObject({ session: { damaged: [2] }, messages: [{ content: 'first' }] })
      expect(c?.session.damaged).toEqual([])
      expect(d?.messages).toHaveLength(2)
      expect((await sessions.list({ user: 'ada', limit: 10 })).items.map(({ id, messageCount }) => `${id} ${messageCount}`).toSorted()).toEqual([
        'aaaaaaaaaaaa 2',
        'bbbbbbbbbbbb 2',
        'cccccccccccc 2',
        'dddddddddddd 2',
      ])
      expect(await sessions.change('bbbbbbbbbbbb', { do: 'retry' }, { at: START })).toEqual({ outcome: 'damaged' })
      expect(await sessions.change('dddddddddddd', { do: 'retry' }, { at: START })).toMatchObject({ outcome: 'done', removed: 2 })
      expect(await sessions.delete('bbbbbbbbbbbb')).toBe(true)
    } finally {
      await fixture.dispose()
    }
  })

  describeSessionModel(open)
}
