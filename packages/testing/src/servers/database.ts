import { randomBytes } from 'node:crypto'
import { Client } from 'pg'

/** A database of one test file's own. */
export type TestDatabase = { readonly url: string; readonly name: string; drop(): Promise<void>; [Symbol.asyncDispose](): Promise<void> }

/** Makes a database on a test server as a copy of `template` (which nobody may be connected to); `drop` cuts its connections and removes it. */
export async function createDatabase(serverUrl: string, template = 'template1'): Promise<TestDatabase> {
  const name = `t_${randomBytes(6).toString('hex')}`
  await onServer(serverUrl, `create database "${name}" template "${template}"`)
  const url = new URL(serverUrl)
  url.pathname = `/${name}`
  const drop = () => onServer(serverUrl, `drop database if exists "${name}" with (force)`)
  return { url: url.href, name, drop, [Symbol.asyncDispose]: drop }
}

/** A prefix for the Redis keys of one test file, so that files can share a server. */
export function keyPrefix(): string {
  return `t${randomBytes(6).toString('hex')}:`
}

async function onServer(url: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}
