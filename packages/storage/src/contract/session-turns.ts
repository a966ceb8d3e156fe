// Goal: a turn holds its session, is ended once, and what was said meanwhile is heard in order. Method: each rule against a session of its own.
import { expect, test } from 'vitest'
import type { ExecutionStore } from '../port/execution-store.ts'
import type { CommandOutcome } from '../port/sessions.ts'
import { message, spent, talkIn } from './talk.ts'

/** The rules of turns in SessionStore. */
export function describeSessionTurns(store: () => ExecutionStore): void {
  const { create, change, contents } = talkIn(store)

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
}
