// Goal: over TLS with client certificates koco reaches Temporal, as client and as worker, and without the right certificate nobody does. Method: a real server behind a TLS end that demands certificates of an authority made here.
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, rmSync } from 'node:fs'
import { connect, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createServer, type TLSSocket } from 'node:tls'
import { NativeConnection } from '@temporalio/worker'
import { newFolder, ofThisWorker } from '@koco/testing'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { checkTemporal } from './check.ts'
import { sdkTls, type TemporalSettings, type TemporalTls } from './server.ts'

const folder = newFolder('tls')
const pem = (name: string): Buffer => readFileSync(join(folder, name))
const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' })
let address: string
let close: () => Promise<void>

/** A certificate for localhost, signed by an authority; each in files of its name. */
function makeCertificate(name: string, authority: string): void {
  openssl(
    'req',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-keyout',
    `${name}.key`,
    '-out',
    `${name}.csr`,
    '-subj',
    `/CN=${name}`,
    '-addext',
    'subjectAltName=DNS:localhost',
  )
  openssl(
    'x509',
    '-req',
    '-in',
    `${name}.csr`,
    '-CA',
    `${authority}.pem`,
    '-CAkey',
    `${authority}.key`,
    '-CAcreateserial',
    '-copy_extensions',
    'copy',
    '-days',
    '2',
    '-out',
    `${name}.pem`,
  )
}

beforeAll(async () => {
  for (const authority of ['ca', 'stranger'])
    openssl(
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-keyout',
      `${authority}.key`,
      '-out',
      `${authority}.pem`,
      '-days',
      '2',
      '-subj',
      `/CN=${authority}`,
    )
  makeCertificate('server', 'ca')
  makeCertificate('client', 'ca')
  makeCertificate('other', 'stranger')
  const [host = '', port = ''] = ofThisWorker(inject('temporalAddresses')).split(':')
  const sockets = new Set<TLSSocket>()
  const server = createServer(
    { key: pem('server.key'), cert: pem('server.pem'), ca: pem('ca.pem'), requestCert: true, rejectUnauthorized: true, ALPNProtocols: ['h2'] },
    (socket) => {
      sockets.add(socket)
      const inner = connect(Number(port), host)
      socket.pipe(inner).pipe(socket)
      for (const end of [socket, inner]) end.on('error', () => (socket.destroy(), inner.destroy()))
    },
  )
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  address = `localhost:${(server.address() as AddressInfo).port}`
  close = async () => {
    for (const socket of sockets) socket.destroy()
    server.close()
    await once(server, 'close')
  }
})

afterAll(async () => {
  await close()
  rmSync(folder, { recursive: true })
})

const settings = (tls?: TemporalTls): TemporalSettings => ({
  address,
  namespace: 'default',
  taskQueue: 'tls',
  workflowIdPrefix: 'tls-',
  executionTimeoutS: null,
  ...(tls && { tls }),
})

test('with the right certificates client and worker are let in', async () => {
  const tls = { ca: pem('ca.pem'), client: { cert: pem('client.pem'), key: pem('client.key') } }
  expect((await checkTemporal(settings(tls))).server).toMatch(/^1\./)
  const connection = await NativeConnection.connect({ address, ...sdkTls({ tls }) })
  await connection.workflowService.describeNamespace({ namespace: 'default' })
  await connection.close()
})

const others: readonly { readonly what: string; readonly tls: () => TemporalTls | undefined }[] = [
  { what: 'no TLS', tls: () => undefined },
  { what: 'no certificate of ours', tls: () => ({ ca: pem('ca.pem') }) },
  { what: 'a certificate of another authority', tls: () => ({ ca: pem('ca.pem'), client: { cert: pem('other.pem'), key: pem('other.key') } }) },
  { what: 'a server that our authority does not know', tls: () => ({ ca: pem('stranger.pem'), client: { cert: pem('client.pem'), key: pem('client.key') } }) },
]

// Each is given up only when its time is over: together they take as long as one.
test.concurrent.each(others)('with $what nobody is', async ({ tls }) => {
  await expect(checkTemporal(settings(tls()))).rejects.toMatchObject({ code: 'temporal_unavailable' })
})
