import { load } from '../sockets/load.ts'
import { atLeast, atMost, percentile, type Figure } from './figure.ts'

const USERS = 1_000
const SECONDS = 30

/** A thousand people, each with a socket, who ask and talk on one embedded process; the clients share the machine with it. */
export async function sockets(): Promise<Figure[]> {
  const { asked, failed, turns, roundTrips, messagesPerSecond, memoryPerConnection } = await load({
    users: USERS,
    socketsEach: 1,
    seconds: SECONDS,
    talkEveryS: 60,
  })
  return [
    atLeast('connections open at once', USERS, 'connections', USERS),
    atLeast('answered as they should', (100 * (asked - failed)) / asked, '%', 99),
    atLeast('turns', turns, 'turns', USERS / 4),
    atLeast('messages in and out', messagesPerSecond, '1/s', 1_000),
    atMost('a question answered, p95', percentile(roundTrips, 0.95), 'ms', 200),
    atMost('memory of a connection', memoryPerConnection / 1024, 'KiB', 150),
  ]
}
