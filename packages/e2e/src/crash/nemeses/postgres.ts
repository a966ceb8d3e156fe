import { setTimeout as delay } from 'node:timers/promises'
import { Client } from 'pg'
import type { DistributedWorld } from '../distributed-world.ts'
import type { Nemesis } from '../world.ts'

/** As at a power cut; what was committed is there again. */
export const postgresRestarted: Nemesis<DistributedWorld> = {
  kind: 'Postgres restarted',
  victim: 'postgres',
  trace: /the store does not answer|store_unavailable/,
  async strike({ postgres }, dice) {
    await postgres.kill()
    await delay(dice.hold(500, 10_000))
    await postgres.restart()
  },
}

/** Postgres keeps its connections and answers nothing. */
export const postgresPaused: Nemesis<DistributedWorld> = {
  kind: 'Postgres paused',
  victim: 'postgres',
  trace: /the store does not answer|store_unavailable|answers slowly/,
  async strike({ postgres }, dice) {
    postgres.pause()
    await delay(dice.hold(5000, 40_000))
    postgres.resume()
  },
}

const OUR_NAME = 'crowd'

/** All of its connections are taken by others, koco's are ended. */
export const postgresCrowded: Nemesis<DistributedWorld> = {
  kind: 'Postgres out of connections',
  victim: 'postgres',
  trace: /too many clients|store_unavailable/,
  async strike({ postgres }, dice) {
    const crowd: Client[] = []
    const until = Date.now() + dice.hold(3000, 15_000)
    while (Date.now() < until) {
      const client = new Client({ connectionString: postgres.url, application_name: OUR_NAME })
      client.on('error', () => undefined)
      const inside = await client.connect().then(
        () => crowd.push(client) > 0,
        () => false,
      )
      if (inside)
        await client.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name <> $1 AND pid <> pg_backend_pid()', [OUR_NAME])
      else await delay(20)
    }
    await Promise.all(crowd.map((client) => client.end()))
  },
}

const REFUSED_EVERY = 97
/** So often in a row of a quarter of a second may the panel not answer. */
const SILENT_MAX = 240

/** Some rows are refused, whatever else is in their batch; an operator mends the database and has the dead events retried. */
export const postgresRefusesRows: Nemesis<DistributedWorld> = {
  kind: 'Postgres failing single rows',
  victim: 'postgres',
  trace: /was set aside as dead \(poison\)/,
  async strike({ databaseUrl, client }, dice) {
    const direct = new Client({ connectionString: databaseUrl })
    await direct.connect()
    await direct.query(`CREATE FUNCTION refuse_row() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      RAISE EXCEPTION 'this row is refused' USING ERRCODE = 'check_violation'; END $$`)
    await direct.query(`CREATE TRIGGER refuse_row BEFORE INSERT ON execution_events FOR EACH ROW
      WHEN (NEW.kind = 'action' AND NEW.seq % ${REFUSED_EVERY} = 0) EXECUTE FUNCTION refuse_row()`)
    await delay(dice.hold(3000, 10_000))
    await direct.query('DROP FUNCTION refuse_row CASCADE')
    await direct.end()
    await retryAll(client)
  },
}

/** Retries dead events until none has come for a while: those of batches in flight come late. Another fault may keep the panel away meanwhile. */
async function retryAll(client: DistributedWorld['client']): Promise<void> {
  for (let quiet = 0, silent = 0; quiet < 8; quiet++) {
    try {
      const { items: all } = await client.json<{ items: { id: number; reason: string }[] }>('GET', '/api/dead?limit=200')
      const items = all.filter(({ reason }) => reason.startsWith('poison'))
      for (const { id } of items) await client.json('POST', `/api/dead/${id}/retry`, {})
      if (items.length > 0) quiet = 0
    } catch (error) {
      if (++silent > SILENT_MAX) throw error
      quiet = 0
    }
    await delay(250)
  }
}
