import { setTimeout as delay } from 'node:timers/promises'
import { startFaultProxy, startPostgres, startRedis, type FaultProxy, type PostgresServer, type RedisServer } from '@koco/testing'
import { OpenAiServer } from 'koco/testing'
import type { Dice } from '../crash/dice.ts'
import { createInstallation, type Installation } from '../processes/installation.ts'
import { Supervised } from './supervised.ts'
import type { Talker } from './talker.ts'

/** An installation of several processes over stores behind links that can be cut, with people who talk in it. */
export type FaultyWorld = {
  readonly installation: Installation
  readonly redis: RedisServer
  readonly postgres: PostgresServer
  readonly links: { readonly redis: FaultProxy; readonly postgres: FaultProxy }
  readonly talkers: Talker[]
  readonly panel: Supervised
  readonly spooler: Supervised
  close(): Promise<void>
}

/** How long an answer takes in the middle: faults fall into it. */
const ANSWER_MS = 250

/** Opens it, everything running. */
export async function openFaultyWorld(): Promise<FaultyWorld> {
  const redis = await startRedis({ config: { appendonly: 'yes' } })
  const postgres = await startPostgres()
  const database = await postgres.createDatabase()
  const links = { redis: await startFaultProxy({ port: redis.port }), postgres: await startFaultProxy({ port: postgres.port }) }
  const model = new OpenAiServer(() => [])
  // An echo in two pieces, each answer held for a moment.
  model.otherwise = ({ messages }) => ({ say: ['I heard ', String(messages.at(-1)?.content)], hold: true })
  const letGo = setInterval(() => model.release(), ANSWER_MS)
  const installation = await createInstallation({
    KODO_EVENT_TRANSPORT: 'redis',
    KODO_REDIS_URL: links.redis.url(redis.url),
    KODO_EXECUTION_DATABASE: links.postgres.url(database.url),
    KODO_LLM_URL: `http://${await model.listen()}/v1`,
    KODO_LLM_MODEL: 'tiny',
  })
  await installation.spawn(['db', '--create-tables']).exited
  const panel = new Supervised(() => installation.spawn(['serve']))
  const spooler = new Supervised(() => installation.spawn(['spool', '--block']))
  await ready({ installation })
  return {
    installation,
    redis,
    postgres,
    links,
    talkers: [],
    panel,
    spooler,
    async close() {
      clearInterval(letGo)
      panel.dismiss()
      spooler.dismiss()
      await installation.close()
      await Promise.all([model.close(), links.redis.close(), links.postgres.close(), redis.stop(), postgres.stop()])
    },
  }
}

/** Something that goes wrong, and is over when it resolves; processes are started again by their supervisor. */
export type Fault = { readonly name: string; readonly alone?: true; strike(world: FaultyWorld, dice: Dice): Promise<void> }

const held = (dice: Dice): Promise<void> => delay(dice.between(200, 2_500))

/** All that may go wrong. */
export const FAULTS: readonly Fault[] = [
  {
    name: 'Redis dies',
    strike: ({ redis }, dice) =>
      redis
        .kill()
        .then(() => held(dice))
        .then(() => redis.restart()),
  },
  {
    // Alone, until what it had is there again: together with the process that can fill it again it would be lost for good.
    name: 'Redis comes back empty',
    alone: true,
    async strike({ redis, talkers }) {
      await redis.restart({ wipe: true })
      await Promise.all(talkers.map((talker) => talker.answered()))
    },
  },
  {
    name: 'Redis is cut off',
    strike: ({ links }, dice) =>
      during(
        dice,
        () => links.redis.refuse(),
        () => links.redis.heal(),
      ),
  },
  {
    name: 'Redis is slow',
    strike: ({ links }, dice) =>
      during(
        dice,
        () => links.redis.delay(dice.between(50, 300)),
        () => links.redis.heal(),
      ),
  },
  {
    name: 'Postgres dies',
    strike: ({ postgres }, dice) =>
      postgres
        .kill()
        .then(() => held(dice))
        .then(() => postgres.restart()),
  },
  {
    name: 'Postgres is cut off',
    strike: ({ links }, dice) =>
      during(
        dice,
        () => links.postgres.refuse(),
        () => links.postgres.heal(),
      ),
  },
  {
    name: 'answers of Postgres are lost',
    strike: ({ links }, dice) =>
      during(
        dice,
        () => void links.postgres.dropReplies(),
        () => links.postgres.heal(),
      ),
  },
  {
    name: 'both stores are cut off',
    strike: ({ links }, dice) =>
      during(
        dice,
        () => [links.redis, links.postgres].forEach((link) => link.refuse()),
        () => [links.postgres, links.redis].forEach((link) => link.heal()),
      ),
  },
  {
    name: 'the panel is killed',
    async strike(world) {
      await world.panel.kill('SIGKILL')
      await ready(world)
    },
  },
  {
    name: 'the panel is told to stop',
    async strike(world) {
      await world.panel.kill('SIGTERM')
      await ready(world)
    },
  },
  {
    name: 'the panel freezes',
    strike: ({ panel }, dice) =>
      during(
        dice,
        () => void panel.kill('SIGSTOP'),
        () => void panel.kill('SIGCONT'),
      ),
  },
  { name: 'the spooler is killed', strike: async ({ spooler }) => void (await spooler.kill('SIGKILL')) },
  { name: 'clients are cut off', strike: async ({ talkers }) => void (await Promise.all(talkers.flatMap(({ seats }) => seats.map((seat) => seat.cut())))) },
]

/** Waits until the panel takes requests. */
async function ready({ installation }: Pick<FaultyWorld, 'installation'>): Promise<void> {
  const url = `${installation.address}/readyz`
  while (
    !(await fetch(url).then(
      ({ ok }) => ok,
      () => false,
    ))
  )
    await delay(50)
}

async function during(dice: Dice, begin: () => void, end: () => void): Promise<void> {
  begin()
  await held(dice)
  end()
}
