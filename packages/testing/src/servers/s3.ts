import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { goProgram } from './go-program.ts'
import { freePort, newFolder, ServerProcess, startOrStop, type RunningServer } from './process.ts'

/** An S3 server of one test's own, with one bucket. */
export type S3Server = RunningServer & {
  /** `http://<key>:<secret>@host:port/<bucket>`: everything that a client has to know. */
  readonly url: string
}

const VERSION = 'v1.8.0'
const KEY = 'koco-test'
const SECRET = 'koco-test-secret'
const BUCKET = 'blobs'
const REMEDY =
  'Tests need an S3 server: put versitygw on the PATH (https://github.com/versity/versitygw), or Go, with which it is installed, or set KODO_TEST_S3_URL to http://<key>:<secret>@host:port/<bucket>.'

/** Starts a Versity S3 gateway over a folder on a free port of the loopback interface; without it on this machine, Go builds it (some minutes, once). */
export async function startS3(): Promise<S3Server> {
  const command = await goProgram({ name: 'versitygw', source: `github.com/versity/versitygw/cmd/versitygw@${VERSION}`, remedy: REMEDY })
  const port = await freePort()
  const folder = newFolder('s3')
  for (const sub of ['data', `data/${BUCKET}`, 'sidecar']) mkdirSync(join(folder, sub))
  const args = [
    '--access',
    KEY,
    '--secret',
    SECRET,
    '--port',
    `127.0.0.1:${port}`,
    '--quiet',
    'posix',
    '--sidecar',
    join(folder, 'sidecar'),
    join(folder, 'data'),
  ]
  const server = new ServerProcess({ name: 'S3', command, args, folder, answers: () => answers(port), withinMs: 20_000 })
  await startOrStop(server)
  return Object.assign(server, { url: `http://${KEY}:${SECRET}@127.0.0.1:${port}/${BUCKET}` })
}

/** Any answer of HTTP will do: without a signature it is a refusal. */
async function answers(port: number): Promise<boolean> {
  return (await fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(1_000) })).status < 500
}
