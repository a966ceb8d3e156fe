// Goal: `koco start --temporal` gives a newcomer everything with one command, or says what is missing. Method: the real command against Redis of this test run; the development server is the real one, on a free port.
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { freePort, keyPrefix, ofThisWorker, temporalProgram } from '@koco/testing'
import { afterEach, beforeEach, expect, inject, test } from 'vitest'
import { createInstallation, type Installation } from './installation.ts'

const FLOWS = fileURLToPath(new URL('../flows/bench-flows.ts', import.meta.url))

let port: number
let koco: Installation

beforeEach(async () => {
  port = await freePort()
  koco = await createInstallation({
    KODO_FLOWS: FLOWS,
    KODO_EVENT_TRANSPORT: 'redis',
    KODO_REDIS_URL: inject('redisUrl'),
    KODO_REDIS_STREAM_PREFIX: `${keyPrefix()}events:`,
    KODO_TEMPORAL_HOST: `127.0.0.1:${port}`,
  })
})
afterEach(() => koco.close())

/** Starts it where no temporal CLI is to be found; gives what it says at its end. */
async function refused(env: Readonly<Record<string, string>> = {}): Promise<string> {
  const started = koco.spawn(['start', '--temporal'], { env: { PATH: '', HOME: koco.dir, ...env } })
  expect(await started.exited).toBe(3)
  return started.output().trim()
}

/** What `koco doctor --reconcile` finds of a run: Temporal's list of what is open may be a moment late. */
async function doctorSays(fid: string): Promise<unknown> {
  for (;;) {
    const doctor = koco.spawn(['doctor', '--reconcile', '-o', 'json'], { env: { KODO_EXECUTION_MODE: 'temporal' } })
    expect(await doctor.exited, doctor.output()).toBe(0)
    const found = /^\[.*\]$/ms.exec(doctor.output())?.[0] ?? '[]'
    const one = (JSON.parse(found) as { readonly fid: string }[]).find((run) => run.fid === fid)
    if (one) return one
  }
}

test('a development server is started, runs are made on it, one terminated there is ended by koco doctor, and all ends with koco', async () => {
  const program = await temporalProgram()
  const path = [dirname(program), process.env['PATH']].join(':')
  const started = await koco.startPanel('start', ['--temporal'], { env: { PATH: path } })
  expect(started.output()).toContain(`its page is http://localhost:${port + 1000}`)
  const client = await koco.client()
  expect((await client.startAndWait('three-steps', {})).status).toBe('finished')
  const fid = await client.start('asks-once', {})
  for await (const frame of client.tail(fid)) if (frame.event === 'lock') break
  await promisify(execFile)(program, ['workflow', 'terminate', '-w', `kodo-${fid}`, '--reason', 'too dear', '--address', `127.0.0.1:${port}`])
  expect(await doctorSays(fid)).toMatchObject({ fid, flow: 'asks-once', found: 'terminated', did: 'ended', note: expect.stringContaining('too dear') })
  expect((await client.run(fid)).status).toBe('cancelled')
  expect(await started.kill('SIGTERM')).toBe(0)
  await expect(once(connect(port, '127.0.0.1'), 'connect')).rejects.toThrow('ECONNREFUSED')
})

test('what is missing is said in one sentence: the program, a server elsewhere, a namespace', async () => {
  expect(await refused()).toMatch(/^No Temporal answers at 127.0.0.1:.* install the temporal CLI \(https:.*\)\.$/)
  expect(await refused({ KODO_TEMPORAL_HOST: `koco.invalid:${port}` })).toMatch(
    /^No Temporal answers at koco.invalid:.* It is not on this machine, so none is started\.$/,
  )
  const elsewhere = { KODO_TEMPORAL_HOST: ofThisWorker(inject('temporalAddresses')), KODO_TEMPORAL_NAMESPACE: 'nowhere' }
  expect(await refused(elsewhere)).toMatch(/has no namespace "nowhere": make it \(temporal operator namespace create -n nowhere\)/)
})
