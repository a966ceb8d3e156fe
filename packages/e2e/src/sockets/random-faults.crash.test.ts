// Goal: people talk over sockets while one thing after the other goes wrong at random: what each says is said once and answered once, every connection is shown each stored frame once and in order, and in the end nothing of them is counted any more.
// Method: real processes over a Redis and a Postgres behind links; faults, their order and their lengths are drawn from a seed (KOCO_CRASH_SEED); clients resume by their positions. Half a minute here; KOCO_FAULT_SECONDS=120 makes it two minutes.
import { setTimeout as delay } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { diceOf } from '../crash/dice.ts'
import { FAULTS, openFaultyWorld, type Fault, type FaultyWorld } from './faulty-world.ts'
import { metric } from './people.ts'
import { SocketClient, type Frame } from './socket-client.ts'
import { Talker } from './talker.ts'

const SEED = Number(process.env['KOCO_CRASH_SEED'] ?? 1)
const SECONDS = Number(process.env['KOCO_FAULT_SECONDS'] ?? 25)
const PEOPLE = 5
const VICTIMS = ['Redis', 'Postgres', 'store', 'panel', 'spooler', 'clients']
const SETTLE = { timeout: 120_000, interval: 200 }

let world: FaultyWorld
beforeAll(async () => {
  world = await openFaultyWorld()
})
afterAll(() => world.close())

async function seatPeople(): Promise<readonly string[]> {
  const client = await world.installation.client()
  const names = Array.from({ length: PEOPLE }, (_, n) => `person-${n + 1}`)
  for (const name of names) {
    await client.json('POST', '/api/users', { name, email: `${name}@example.com`, password: 'a long password', role: 'user' })
    const { access_token: token } = await client.json<{ access_token: string }>('POST', '/api/auth/token', {
      grant_type: 'password',
      login: name,
      password: 'a long password',
    })
    const { address } = world.installation
    const socket = await SocketClient.open(address, token)
    const session = String((await socket.ask('create_session')).data['session_id'])
    await socket.close()
    world.talkers.push(new Talker(address, token, session))
  }
  return names
}

/** False for a second fault of the same victim: a process cannot be killed twice at once. */
function isOther({ name }: Fault, index: number, [first]: readonly Fault[]): boolean {
  return index === 0 || VICTIMS.every((victim) => !name.includes(victim) || !first?.name.includes(victim))
}

/** Lets faults strike, now and then two at once, until the time is over; gives their names. */
async function strikeAtRandom(): Promise<string[]> {
  const dice = diceOf(SEED, false)
  const struck: string[] = []
  const until = performance.now() + SECONDS * 1000
  while (performance.now() < until) {
    const faults = [dice.oneOf(FAULTS), ...(dice.between(1, 4) === 1 ? [dice.oneOf(FAULTS)] : [])]
    const apart = faults.some(({ alone }) => alone) ? faults.slice(0, 1) : faults.filter(isOther)
    await Promise.all(apart.map((fault, index) => fault.strike(world, diceOf(SEED + struck.length + index + 1, false))))
    struck.push(...apart.map(({ name }) => name))
    await delay(dice.between(200, 1_500))
  }
  for (const link of [world.links.redis, world.links.postgres]) link.heal()
  return struck
}

const told = (frames: readonly Frame[]): unknown[] =>
  frames.map(({ data, content }) => [data['position'], data['turn_id'], data['chunk_index'], data['kind'], content])

test(`faults at random for ${SECONDS} s, seed ${SEED}`, { timeout: (SECONDS + 300) * 1000 }, async () => {
  const names = await seatPeople()
  const struck = await strikeAtRandom()
  await vi.waitFor(async () => expect((await fetch(`${world.installation.address}/readyz`)).status).toBe(200), SETTLE)
  await Promise.all(world.talkers.map((talker) => talker.finish()))
  for (const talker of world.talkers) {
    // Said once, in order, and each answered once and whole.
    const expected = talker.said.flatMap((text) => [`user: ${text}`, `assistant: I heard ${text}`])
    expect((await talker.transcript()).map(({ role, content }) => `${role}: ${String(content)}`)).toEqual(expected)
    const last = (await talker.transcript()).at(-1)?.turn
    for (const seat of talker.seats)
      await vi.waitFor(() => expect(seat.frames.at(-1)?.data).toMatchObject({ turn_id: last, is_complete: true, status: 'finished' }), SETTLE)
  }
  await Promise.all(world.talkers.flatMap(({ seats }) => seats.map((seat) => seat.leave())))
  for (const { seats } of world.talkers) {
    for (const seat of seats) {
      expect(seat.faults).toEqual([])
      const positions = seat.frames.map(({ data }) => String(data['position']))
      expect(new Set(positions).size).toBe(positions.length)
    }
    // Both began at their first turn: what the one was shown from where the other began is the same.
    const [one, two] = seats.map(({ frames }) => told(frames)) as [unknown[], unknown[]]
    const length = Math.min(one.length, two.length)
    expect(one.slice(-length)).toEqual(two.slice(-length))
  }
  const direct = new Redis(world.redis.url)
  await vi.waitFor(async () => expect(await Promise.all(names.map((name) => direct.zcard(`kodo:held:ws:${name}`)))).toEqual(names.map(() => 0)), SETTLE)
  direct.disconnect()
  expect(await metric(world.installation.address, 'koco_sockets')).toBe(0)
  const seats = world.talkers.flatMap((talker) => talker.seats)
  const sum = (count: (seat: (typeof seats)[number]) => number): number => seats.reduce((all, seat) => all + count(seat), 0)
  const turns = world.talkers.reduce((all, { said }) => all + said.length, 0)
  process.stdout.write(
    `seed ${SEED}: ${struck.join(', ')}\n${turns} turns, ${sum((seat) => seat.connections)} connections, ${sum((seat) => seat.frames.length)} frames, ${sum((seat) => seat.deltas)} previews\n`,
  )
  expect(turns).toBeGreaterThan(PEOPLE)
})
