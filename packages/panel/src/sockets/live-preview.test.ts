// Goal: a preview is what the chunk will say, or nothing. Method: live text and stored events of a turn in every order in which they can come, event by event.
import { toJsonText, type EventRecord, type Json } from '@koco/core'
import { expect, test } from 'vitest'
import { TurnFold } from '../chat/settle.ts'
import { LivePreview } from './live-preview.ts'

/** A turn under way: what is heard live, what is stored, and what a client is shown of it. */
function turn() {
  const texts = new Map<string, string>()
  const heard = { texts, last: null as string | null, onMore: () => () => undefined, release: () => undefined }
  const preview = new LivePreview(heard)
  const fold = new TurnFold('67c1a2f4aabbccddeeff0011')
  let seq = 0
  const store = (kind: EventRecord['kind'], data: Json, step: string | null = null): void => {
    const record = { epoch: 5, seq: ++seq, ts: seq, kind, step, data: toJsonText(data) } as EventRecord
    fold.take(record)
    preview.take(record, fold.writing)
  }
  return {
    hear(step: string, text: string) {
      texts.set(step, (texts.get(step) ?? '') + text)
      heard.last = step
    },
    started: (id: string, n = 1) => store('step', { phase: 'started', id, name: id, try: n }, id),
    partial: (step: string, text: string) => store('action', { name: 'chat.partial', value: { text } }, step),
    message: (step: string, content: string, role = 'assistant') => store('action', { name: 'chat.message', value: { role, content } }, step),
    /** What is shown now, as `offset:text`; null for nothing. */
    show(): string | null {
      const piece = preview.next()
      if (piece) preview.sent(piece)
      return piece && `${piece.offset}:${piece.text}`
    },
  }
}

test('each piece goes on where the last one ended, whatever is stored meanwhile', () => {
  const at = turn()
  at.started('a')
  at.hear('a', 'Lis')
  expect([at.show(), at.show()]).toEqual(['0:Lis', null])
  at.hear('a', 'bon')
  expect(at.show()).toBe('3:bon')
  // The chunk takes the client back to what is stored; what is ahead of it is shown again.
  at.partial('a', 'Lisb')
  expect(at.show()).toBe('4:on')
  at.hear('a', '.')
  expect(at.show()).toBe('6:.')
  at.partial('a', 'on.')
  expect(at.show()).toBeNull()
})

test('a whole message ends its preview; late pieces of it are not shown in the next one', () => {
  const at = turn()
  at.started('a')
  at.hear('a', 'One')
  at.show()
  at.message('a', 'One.')
  at.hear('a', '.')
  expect(at.show()).toBeNull()
  at.hear('b', 'Two')
  expect(at.show()).toBe('0:Two')
})

test('several messages of one step each begin at nothing', () => {
  const at = turn()
  at.started('agent')
  at.hear('agent', 'First')
  at.message('agent', 'First')
  at.message('tool', 'seen', 'tool')
  at.hear('agent', 'Second')
  expect(at.show()).toBe('0:Second')
  at.partial('agent', 'Sec')
  expect(at.show()).toBe('3:ond')
})

test('who missed a piece is shown nothing wrong after the chunk, and the next message again', () => {
  const at = turn()
  at.started('a')
  at.hear('a', 'bon')
  at.partial('a', 'Lis')
  expect(at.show()).toBeNull()
  at.hear('a', '.')
  at.partial('a', 'bon')
  expect(at.show()).toBeNull()
  at.message('a', 'Lisbon.')
  at.hear('b', 'Yes')
  expect(at.show()).toBe('0:Yes')
})

test.each([
  ['tried again', 2],
  ['done again by a later attempt', 1],
])('a step that is %s has no preview', (_what, n) => {
  const at = turn()
  at.started('a')
  at.hear('a', 'wro')
  at.partial('a', 'wro')
  at.started('a', n)
  at.hear('a', 'right')
  expect(at.show()).toBeNull()
  at.partial('a', 'ri')
  expect(at.show()).toBeNull()
})
