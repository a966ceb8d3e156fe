import { dirname, resolve } from 'node:path'
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

/** True for a Postgres address in any of its forms. */
export function isPostgres(url: string): boolean {
  return /^postgres(ql)?(\+\w+)?:/.test(url)
}

/** The plain form of a database address in SQLAlchemy's: `postgresql+asyncpg://…` loses its driver. */
export function postgresUrl(url: string): string {
  return url.replace(/^postgres(ql)?(\+\w+)?:/, 'postgresql:')
}

/** The file of a `sqlite:///path` or `sqlite+aiosqlite:///path` address, absolute. Three slashes: relative to `cwd`; four: absolute. */
export function sqliteFile(url: string, cwd: string): string {
  return resolve(cwd, url.replace(/^sqlite(\+\w+)?:\/\/\/?/, ''))
}

/** The folder for what an installation keeps for itself: beside the admin file, else above the runs. */
export function dataFolder(settings: Settings, cwd: string): string {
  return isPostgres(settings.adminDatabase) ? dirname(resolve(cwd, settings.execDir)) : dirname(sqliteFile(settings.adminDatabase, cwd))
}

/** An address without its password, fit for logs. */
export function withoutSecrets(url: string): string {
  return url.replace(/\/\/([^:@/]*):[^@/]*@/, '//$1:***@')
}
