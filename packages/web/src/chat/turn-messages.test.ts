// Goal: what is shown of a running turn is what its session will hold. Method: timelines of turns, event by event.
import type { Json } from '@koco/core'
import type { TimelineEvent } from '@koco/core/api'
import { expect, test } from 'vitest'
import { turnSoFar, withLiveText } from './turn-messages.ts'

const FID = '67c1a2f4aabbccddeeff0011'
let seq = 0
const event = (kind: string, data: Json, step: string | null = null): TimelineEvent => {
  seq += 1
  return { position: `5-${seq}`, fid: FID, epoch: 5, seq, ts: seq, kind, step, data }
}
const partial = (value: Json, step = 'answer') => event('action', { name: 'chat.partial', value }, step)
const message = (value: Json, step = 'answer') => event('action', { name: 'chat.message', value }, step)
const started = (id: string, name = id) => event('step', { phase: 'started', id, name, try: 1 }, id)

test('pieces grow into one message, and the whole message takes their place', () => {
  const pieces = [started('answer'), partial({ reasoning: 'hm' }), partial({ text: 'Hel' }), partial({ text: 'lo' })]
  expect(turnSoFar(FID, pieces).messages).toMatchObject([{ role: 'assistant', content: 'Hello', reasoning: 'hm' }])
  expect(turnSoFar(FID, [...pieces, message({ role: 'assistant', content: 'Hello!' })]).messages).toMatchObject([{ content: 'Hello!' }])
})

test('a step that is tried again takes back what it said once it says something', () => {
  const first = [started('answer'), partial({ text: 'wrong' }), started('answer')]
  expect(turnSoFar(FID, first).messages).toMatchObject([{ content: 'wrong' }])
  expect(turnSoFar(FID, [...first, partial({ text: 'right' })]).messages).toMatchObject([{ content: 'right' }])
})

test('a tool that is at work is named, a failure told', () => {
  expect(turnSoFar(FID, [started('tool search#1', 'tool search')]).calling).toBe('search')
  expect(turnSoFar(FID, [event('error', { name: 'Error', message: 'no model' })]).error).toBe('no model')
})

test('other actions say nothing', () => {
  expect(turnSoFar(FID, [event('action', { name: 'else', value: { text: 'x' } }), event('action', { name: 'chat.partial' })]).messages).toEqual([])
})

test('live text goes on from what is stored, or is left out', () => {
  const { messages } = turnSoFar(FID, [started('answer'), partial({ text: 'Hel' })])
  const live = (text: string) => withLiveText(FID, messages, new Map([['answer', text]])).map(({ content }) => content)
  expect(live('Hello')).toEqual(['Hello'])
  expect(live('lo')).toEqual(['Hel'])
  expect(withLiveText(FID, [], new Map([['answer', 'H']]))).toMatchObject([{ role: 'assistant', content: 'H' }])
  expect(withLiveText(FID, messages, new Map())).toBe(messages)
})

test('live text that a whole message holds is not shown a second time', () => {
  const { messages } = turnSoFar(FID, [started('answer'), partial({ text: 'Hel' }), message({ role: 'assistant', content: 'Hello' })])
  const live = (text: string) => withLiveText(FID, messages, new Map([['answer', text]])).map(({ content }) => content)
  expect(live('Hello')).toEqual(['Hello'])
  expect(live('Hell')).toEqual(['Hello'])
  expect(live('And more')).toEqual(['Hello', 'And more'])
})
