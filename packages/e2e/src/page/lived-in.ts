import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createSqliteExecutionStore } from '@koco/storage/sqlite'
import { vi } from 'vitest'
import type { ApiClient } from '../processes/api-client.ts'
import { embedded, type Stack } from '../processes/stacks.ts'

const FLOWS = fileURLToPath(new URL('../flows/lived-in-flows.ts', import.meta.url))

/** The password of ann, a user of a lived-in installation. */
export const ANN = 'a long password of ann'

type RunName = 'everything' | 'asking' | 'failing' | 'hostile' | 'family' | 'long' | 'cancelled' | 'imported' | 'archived'

/** An installation that has been used for a while: something of each kind that a page can show. */
export type LivedIn = { readonly stack: Stack; readonly client: ApiClient; readonly runs: Readonly<Record<RunName, string>>; readonly session: string }

/** Starts one and fills it. */
export async function livedIn(settings: Readonly<Record<string, string>> = {}): Promise<LivedIn> {
  const stack = await embedded({ KODO_FLOWS: FLOWS, ...settings })
  const client = await stack.client()
  await client.json('POST', '/api/users', { name: 'ann', email: 'ann@example.com', role: 'user', password: ANN })
  await client.json('POST', '/api/users', { name: 'vera', email: 'vera@example.com', role: 'viewer' })
  await client.json('PATCH', '/api/users/vera', { active: false })
  const runs = await makeRuns(client)
  const session = await makeSession(stack, client)
  await client.json('PUT', '/api/budgets/all-day', { per: 'day', cost: 500 })
  await client.json('PUT', '/api/budgets/each-spending', { per: 'run', flow: 'spending', cost: 50, tokens: 2_000_000 })
  await client.json('POST', '/api/schedules', { id: 'hourly', flow: 'asked', inputs: { name: 'Ada' }, every_s: 3600 })
  await client.json('POST', '/api/schedules', { id: 'mornings', flow: 'stepping', inputs: { n: 2 }, cron: '30 6 * * 1-5' })
  await client.json('POST', '/api/schedules/mornings/pause')
  await client.json('POST', '/api/webhooks', { url: 'https://hooks.example.com/koco/with/a/rather/long/path', events: ['question.expired', 'alarm.raised'] })
  await loseAnEvent(stack, runs.everything)
  return { stack, client, runs, session }
}

/** Waits until a run has come to this status. */
export async function comesTo(client: ApiClient, fid: string, status: string): Promise<string> {
  await vi.waitUntil(async () => (await client.run(fid)).status === status, { timeout: 60_000, interval: 50 })
  return fid
}

async function makeRuns(client: ApiClient): Promise<LivedIn['runs']> {
  const asking = await client.start('everything', { city: 'Porto' })
  await client.startAndWait('asked', { name: 'Ada' })
  await client.startAndWait('spending', { calls: 4 })
  const everything = (await client.startAndWait('everything', { city: 'Lisbon', ask: false })).fid
  const failing = (await client.startAndWait('failing', { n: 7 })).fid
  const family = (await client.startAndWait('family', { n: 2 })).fid
  const long = (await client.startAndWait('reconcile-quarterly-invoices-of-all-subsidiaries-with-bank-file', {})).fid
  const archived = (await client.startAndWait('stepping', { n: 9 })).fid
  await client.json('DELETE', `/api/runs/${archived}`)
  const cancelled = await comesTo(client, await client.start('waiting', { n: 1 }), 'awaiting')
  await client.json('POST', `/api/runs/${cancelled}/cancel`)
  const hostile = await comesTo(client, await client.start('hostile', {}), 'awaiting')
  await comesTo(client, await client.start('signed', {}), 'awaiting')
  const imported = await client.importRun(await (await client.request('GET', `/api/runs/${everything}/export`)).text())
  await comesTo(client, cancelled, 'cancelled')
  await comesTo(client, asking, 'awaiting')
  return { everything, asking, failing, hostile, family, long, cancelled, imported, archived }
}

/** A conversation with checkpoints that went two ways. */
async function makeSession(stack: Stack, client: ApiClient): Promise<string> {
  const messages = [
    { role: 'user', content: 'Plan three days in Lisbon.' },
    { role: 'assistant', content: 'Belém, Alfama and Sintra:\n\n| day | where |\n|---|---|\n| 1 | Belém |\n| 2 | Alfama |\n\nThe plan is in `plan.md`.' },
  ]
  const { session } = await client.json<{ session: { session_id: string } }>('POST', '/api/session/import', { title: 'Lisbon', messages })
  const id = session.session_id
  const write = async (of: string, text: string): Promise<void> => {
    const folder = join(stack.dir, 'data/workspaces/admin', of)
    await mkdir(folder, { recursive: true })
    await writeFile(join(folder, 'plan.md'), text)
  }
  const checkpoint = (of: string, description: string, parent: string | null): Promise<{ id: string }> =>
    client.json('POST', '/api/checkpoints', { session_id: of, description, parent_id: parent, tags: ['plan'] })
  await write(id, '# Lisbon\n\n- Sintra\n')
  const base = (await checkpoint(id, 'Three days planned', null)).id
  const { session_id: other } = await client.json<{ session_id: string }>('POST', `/api/checkpoints/${base}/restore`, {})
  await write(id, '# Lisbon\n\n- Sintra by train\n')
  await write(other, '# Lisbon in May\n\n- Cascais\n')
  await checkpoint(id, 'By train', base)
  await checkpoint(other, 'By the sea', base)
  return id
}

/** Sets an entry aside as the spooler does with one that it cannot store. */
async function loseAnEvent(stack: Stack, fid: string): Promise<void> {
  const store = await createSqliteExecutionStore({ dir: String(stack.env['KODO_EXEC_DIR']), migrate: false })
  await store.dead.add({ fid, position: '1000-7', reason: 'not JSON', body: '{"half":', at: Date.now() / 1000 })
  await store.close()
}
