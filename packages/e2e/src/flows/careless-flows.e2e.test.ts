// Goal: a careless flow harms nobody but itself. Method: real processes; a flow that forgets a rejected promise runs beside another one, and both finish in the same process.
import { expect, test } from 'vitest'
import { embedded } from '../processes/stacks.ts'

test('a rejected promise that a flow forgot ends neither its process nor other runs', async () => {
  await using stack = await embedded()
  const client = await stack.client()
  const neighbour = client.startAndWait('emit-many', { events: 1000, pauseMs: 20 })
  expect(await client.startAndWait('forgetful', {})).toMatchObject({ status: 'finished', final: { value: 'still here' } })
  expect(await neighbour).toMatchObject({ status: 'finished' })
})
