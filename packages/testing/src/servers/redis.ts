import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { freePort, newFolder, ServerProcess, startOrStop } from './process.ts'
import { redisProgram } from './redis-program.ts'

/** A Redis of one test's own. */
export type RedisServer = {
  readonly url: string
  readonly port: number
  readonly pid: number
  log(): string
  pause(): void
  resume(): void
  /** As at a power cut. What the append-only file has is there again after `restart`. */
  kill(): Promise<void>
  /** Kills it when it runs and starts it on the same port; `wipe` removes its data. */
  restart(options?: { readonly wipe?: boolean }): Promise<void>
  stop(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
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
  const server = new ServerProcess({ name: 'Redis', ...program, args, folder, answers: () => pong(port), withinMs: 20_000 })
  await startOrStop(server)
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    get pid() {
      return server.pid
    },
    log: () => server.log(),
    pause: () => server.pause(),
    resume: () => server.resume(),
    kill: () => server.kill(),
    restart: async ({ wipe = false } = {}) => {
      await server.kill()
      if (wipe) for (const data of ['appendonlydir', 'dump.rdb']) rmSync(join(folder, data), { recursive: true, force: true })
      await server.start()
    },
    stop: () => server.stop(),
    [Symbol.asyncDispose]: () => server.stop(),
  }
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
