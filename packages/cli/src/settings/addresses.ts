import { dirname, resolve } from 'node:path'
import { parseDatabaseUrl } from '@koco/storage'
import type { Settings } from './schema.ts'

/** Where the panel listens. `loopback`: only this machine reaches it. */
export type ListenAddress = { readonly host: string; readonly port: number; readonly loopback: boolean }

/** Host and port of an `http://host:port` address; port 3370 when none is given. */
export function parseAddress(address: string): ListenAddress {
  const url = new URL(address)
  const host = url.hostname.replace(/^\[|\]$/g, '')
  // URL drops the default port 80, which then was meant when the text names it.
  const port = url.port === '' ? (/:80\/?$/.test(address) ? 80 : 3370) : Number(url.port)
  return { host, port, loopback: host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host) }
}

/** Where the panel listens: LISTEN, else the address under which it is found. */
export function panelListen(settings: Pick<Settings, 'appServer' | 'listen'>): ListenAddress {
  return parseAddress(settings.listen === undefined ? settings.appServer : `http://${settings.listen}`)
}

/** True for a Postgres address in any of its forms. */
export function isPostgres(url: string): boolean {
  return parseDatabaseUrl(url).kind === 'postgres'
}

/** The folder for what an installation keeps for itself: beside the admin file, else above the runs. */
export function dataFolder(settings: Settings, cwd: string): string {
  const admin = parseDatabaseUrl(settings.adminDatabase)
  return dirname(resolve(cwd, admin.kind === 'sqlite' ? admin.path : settings.execDir))
}

/** True when one process holds everything: memory for the events, files for the rest. */
export function isEmbedded(settings: Settings): boolean {
  return settings.eventTransport === 'memory' && settings.executionDatabase === undefined && !isPostgres(settings.adminDatabase)
}
