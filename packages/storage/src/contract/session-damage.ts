// Goal: a damaged session is told from a whole one, and harms nothing else. Method: rows changed past the store, one kind of damage in each of three sessions.
import { expect, test } from 'vitest'
import { START, type OpenFixture } from './scenario.ts'
import { message } from './talk.ts'

/** The rules of damage in SessionStore. */
export function describeSessionDamage(open: OpenFixture): void {
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
      // Once it was found, lists tell it too.
      expect(await sessions.get('bbbbbbbbbbbb')).toMatchObject({ damaged: [2] })
      expect(await sessions.delete('bbbbbbbbbbbb')).toBe(true)
    } finally {
      await fixture.dispose()
    }
  })

  test('entries that are gone, a log without its beginning and a row of nonsense are damage too; whose session it is stays known', async () => {
    const fixture = await open()
    try {
      const { sessions } = fixture.store
      const ids = ['aaaaaaaaaaa1', 'aaaaaaaaaaa2', 'aaaaaaaaaaa3', 'aaaaaaaaaaa4', 'aaaaaaaaaaa5'] as const
      for (const id of ids) {
        await sessions.create({ id, user: 'ada', title: `Talk ${id}`, at: START, messages: [message('first')] })
        for (const text of ['second', 'third']) await sessions.change(id, { do: 'append', messages: [message(text)] }, { at: START })
        await sessions.setDraft(id, { text: 'half a' })
      }
      const [middle, end, beginning, both, draft] = ids
      await fixture.damage(`DELETE FROM session_entries WHERE session = '${middle}' AND revision = 2`)
      await fixture.damage(`DELETE FROM session_entries WHERE session = '${end}' AND revision = 3`)
      await fixture.damage(`UPDATE session_entries SET head = 'x' WHERE session IN ('${beginning}', '${both}') AND revision = 1`)
      await fixture.damage(`UPDATE chat_sessions SET session = '' WHERE id = '${both}'`)
      await fixture.damage(`UPDATE chat_sessions SET draft = '{"text' WHERE id = '${draft}'`)
      const read = async (id: string): Promise<unknown[]> => {
        const found = await sessions.read(id)
        return [found?.session.user, found?.session.title, found?.session.damaged, found?.messages.map(({ content }) => content)]
      }
      expect(await read(middle)).toEqual(['ada', `Talk ${middle}`, [2], ['first', 'third']])
      expect(await read(end)).toEqual(['ada', `Talk ${end}`, [3], ['first', 'second']])
      expect(await read(beginning)).toEqual(['ada', `Talk ${beginning}`, [1], ['second', 'third']])
      expect(await read(both)).toEqual(['ada', 'Untitled', [1], ['second', 'third']])
      expect(await read(draft)).toEqual(['ada', `Talk ${draft}`, [], ['first', 'second', 'third']])
      expect(await sessions.draft(draft)).toBeNull()
      for (const id of [middle, end, beginning, both]) expect(await sessions.change(id, { do: 'retry' }, { at: START }), id).toEqual({ outcome: 'damaged' })
      const listed = (await sessions.list({ user: 'ada', limit: 10 })).items.map(({ id, damaged }) => `${id} ${damaged.length}`)
      expect(listed.toSorted()).toEqual(ids.map((id) => `${id} ${id === draft ? 0 : 1}`))
      expect(await sessions.search({ user: 'ada', q: 'second', content: true, depth: 9, limit: 9 })).toHaveLength(4)
    } finally {
      await fixture.dispose()
    }
  })

  test('a turn whose beginning was damaged holds its session no longer, one whose end was damaged does not come back', async () => {
    const fixture = await open()
    try {
      const { sessions } = fixture.store
      for (const id of ['bbbbbbbbbbb1', 'bbbbbbbbbbb2']) {
        await sessions.create({ id, user: 'ada', at: START })
        await sessions.change(id, { do: 'start-turn', fid: `f-${id}`, kind: 'chat', message: message('go') }, { at: START })
      }
      const end = (id: string) =>
        sessions.change(id, { do: 'end-turn', fid: `f-${id}`, end: 'finished', messages: [message('done', 'assistant')], uses: [] }, { at: START })
      await fixture.damage(`UPDATE session_entries SET head_sum = 7 WHERE session = 'bbbbbbbbbbb1' AND revision = 2`)
      expect(await end('bbbbbbbbbbb1')).toEqual({ outcome: 'idle' })
      expect(await sessions.get('bbbbbbbbbbb1')).toMatchObject({ turn: null, damaged: [2] })
      await end('bbbbbbbbbbb2')
      await fixture.damage(`UPDATE session_entries SET head_sum = 7 WHERE session = 'bbbbbbbbbbb2' AND revision = 3`)
      expect((await sessions.read('bbbbbbbbbbb2'))?.session).toMatchObject({ turn: null, damaged: [3] })
      expect(await sessions.held(null, 10)).toEqual([])
    } finally {
      await fixture.dispose()
    }
  })
}
