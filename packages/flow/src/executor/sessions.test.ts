// Goal: a conversation is read through an outage of the store, and only for its user. Method: tries over a conversation in memory behind a store that is away for a while, or for good.
import { UnavailableError } from '@koco/core'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { defineFlow } from '../flow.ts'
import { testConversation } from '../testing/conversation.ts'
import { ScriptedRun } from '../testing/scripted-run.ts'

const flow = defineFlow({
  name: 'reader',
  summary: 'Reads a conversation in a step',
  inputs: z.object({}),
  run: (_inputs, ctx) => ctx.step('listen', async () => (await ctx.sessions.read('0123456789ab')).messages.length),
})

/** A conversation of one message whose store is away for so many reads. */
function away(reads: number, user = 'ada') {
  const there = testConversation([{ role: 'user', content: 'hi' }], [], user)
  const asked = Promise.withResolvers<void>()
  let left = reads
  return {
    asked: asked.promise,
    read: (id: string) => {
      asked.resolve()
      return left-- > 0 ? Promise.reject(new UnavailableError('away', { code: 'store_unavailable' })) : there.read(id)
    },
  }
}

test('a store that is away is asked again until it answers; the step has one try', async () => {
  const run = new ScriptedRun(flow)
  expect(await run.attempt('start', { sessions: away(3) })).toMatchObject({ outcome: 'finished', final: { value: 1 } })
  expect(run.events.filter(({ kind, data }) => kind === 'step' && (data as { phase: string }).phase === 'started')).toHaveLength(1)
})

test('a run that waits for the store can be cancelled', async () => {
  const run = new ScriptedRun(flow)
  const sessions = away(Number.POSITIVE_INFINITY)
  const outcome = run.attempt('start', { sessions })
  await sessions.asked
  run.ask('cancel')
  expect(await outcome).toMatchObject({ outcome: 'cancelled' })
})

test('a session of somebody else is unknown', async () => {
  const run = new ScriptedRun(flow)
  expect(await run.attempt('start', { sessions: away(0, 'bob') })).toMatchObject({ outcome: 'failed', error: { code: 'unknown_session' } })
})
