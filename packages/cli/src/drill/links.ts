import { exec } from 'node:child_process'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { RefusedError } from '@koco/core'
import { isPostgres } from '../settings/addresses.ts'
import type { Settings } from '../settings/schema.ts'
import { openLink, type Link } from './link.ts'

/** The servers that drills take away. */
export type ServerName = 'redis' | 'postgres' | 'temporal'

/** Commands that restart a server; without one the drill cuts its own processes' link to it, and leaves the server alone. */
export type RestartCommands = Readonly<Partial<Record<ServerName, string>>>

/** How the drill's processes reach the servers, and how a drill takes one away for a while. */
export type Links = {
  /** The addresses that the drill's processes use. */
  readonly settings: Readonly<Partial<Record<'redisUrl' | 'executionDatabase' | 'temporalHost', string>>>
  /** Why a server cannot be taken away; undefined when it can. */
  why(server: ServerName): string | undefined
  /** Takes a server away and gives it back; says in a few words how. */
  takeAway(server: ServerName): Promise<string>
  close(): Promise<void>
}

const AWAY_MS = 4000
const RESTART_MS = 120_000
const PORTS: Readonly<Record<ServerName, number>> = { redis: 6379, postgres: 5432, temporal: 7233 }

/** Opens a link to each server that the settings name. */
export async function openLinks(settings: Settings, commands: RestartCommands): Promise<Links> {
  const links = new Map<ServerName, Link>()
  const reached: { redisUrl?: string; executionDatabase?: string; temporalHost?: string } = {}
  const { redisUrl, executionDatabase, temporalHost } = settings
  const through = async (server: ServerName, address: string): Promise<URL> => {
    const url = new URL(address)
    const link = await openLink({ host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port || PORTS[server]) })
    links.set(server, link)
    url.host = link.address
    return url
  }
  if (redisUrl !== undefined && !isEncrypted(redisUrl)) reached.redisUrl = (await through('redis', redisUrl)).href
  if (executionDatabase !== undefined && isPostgres(executionDatabase) && !isEncrypted(executionDatabase)) {
    reached.executionDatabase = (await through('postgres', executionDatabase)).href
  }
  reached.temporalHost = (await through('temporal', `tcp://${temporalHost}`)).host
  return {
    settings: reached,
    why(server) {
      if (server === 'postgres' && executionDatabase === undefined) return 'runs are in SQLite here: there is no server to take away'
      if (commands[server] !== undefined || links.has(server)) return undefined
      return `its link is encrypted and cannot be passed through the drill: say with --restart-${server} how it is restarted`
    },
    async takeAway(server) {
      const command = commands[server]
      if (command !== undefined) return restart(command)
      links.get(server)?.cut()
      await delay(AWAY_MS)
      links.get(server)?.mend()
      return `the drill's own link to it was cut for ${AWAY_MS / 1000} s, the server itself was left alone`
    },
    async close() {
      await Promise.all([...links.values()].map((link) => link.close()))
    },
  }
}

async function restart(command: string): Promise<string> {
  try {
    await promisify(exec)(command, { timeout: RESTART_MS })
  } catch (error) {
    throw new RefusedError(`The command that was to restart a server failed: ${error instanceof Error ? error.message : String(error)}`, {
      code: 'restart_failed',
      cause: error,
    })
  }
  return `restarted by \`${command}\``
}

function isEncrypted(address: string): boolean {
  return address.startsWith('rediss:') || /[?&](sslmode|ssl)=(?!disable|false)/.test(address)
}
