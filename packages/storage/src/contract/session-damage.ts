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
      expect(await sessions.delete('bbbbbbbbbbbb')).toBe(true)
    } finally {
      await fixture.dispose()
    }
  })
}
