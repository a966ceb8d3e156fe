import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { freePort, newFolder, ServerProcess, startOrStop, type RunningServer } from './process.ts'
import { redisProgram } from './redis-program.ts'

/** A Redis of one test's own. */
export type RedisServer = RunningServer & {
  readonly url: string
  readonly port: number
}

/** Settings of redis.conf. Default: no persistence, no eviction; `{appendonly: 'yes'}` keeps data over a restart. */
export type RedisOptions = { readonly config?: Readonly<Record<string, string>> }

const DEFAULTS = { save: '', appendonly: 'no', appendfsync: 'everysec', 'maxmemory-policy': 'noeviction' }

/** Starts a Redis on a free port of the loopback interface, installing it when the machine has none. */
export async function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
  const program = await redisProgram()
  const port = await freePort()
  const folder = newFolder('redis')
  const settings = { ...DEFAULTS, ...options.config, port: String(port), bind: '127.0.0.1', dir: folder, daemonize: 'no' }
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value])
  const wipe = async (): Promise<void> => {
    for (const data of ['appendonlydir', 'dump.rdb']) rmSync(join(folder, data), { recursive: true, force: true })
  }
  const server = new ServerProcess({ name: 'Redis', ...program, args, folder, answers: () => pong(port), withinMs: 20_000, wipe })
  await startOrStop(server)
  return Object.assign(server, { url: `redis://127.0.0.1:${port}`, port })
}

/** True when something on this port speaks Redis and has loaded its data. */
async function pong(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    const data = once(
      socket.setTimeout(1_000, () => socket.destroy(new Error('no answer'))),
      'data',
    )
    socket.write('PING\r\n')
    const [reply] = (await data) as [Buffer]
    return reply.toString().startsWith('+PONG')
  } finally {
    socket.destroy()
  }
}
