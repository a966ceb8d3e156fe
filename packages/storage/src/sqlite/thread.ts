// The entry of the store's worker threads. One file for all three, so that a packed koco has one more file to carry, not three.
import { flushCompileCache } from 'node:module'
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { must, UnavailableError } from '@koco/core'
import { openIndex } from './connection.ts'
import { crashPoint } from './crash-point.ts'
import { toKocoError } from './errors.ts'
import { Filer } from './filer.ts'
import type { Hello, Reply, Request, ThreadData } from './protocol.ts'
import { GATE, packError } from './protocol.ts'
import { Reader } from './reader.ts'
import { prepareSchema } from './schema.ts'
import { Writer } from './writer.ts'

/** Migrating a large store may take its time. */
const GATE_WAIT_MAX_MS = 300_000

const port = must(parentPort, 'the port to the main thread')
const data = workerData as ThreadData

try {
  const stop = start(data, port)
  port.postMessage({ ready: true } satisfies Hello)
  // By default it is kept when a thread ends in order, which one of a killed process never does.
  flushCompileCache()
  port.on('message', (message: readonly Request[] | 'close') => {
    if (message === 'close') void finish(stop)
  })
} catch (error) {
  if (data.role === 'writer') setGate(GATE.failed)
  port.postMessage({ failed: packError(toKocoError(error, data.dir)) } satisfies Hello)
  port.close()
}

/** Starts the role; gives the function that ends it. */
function start({ role, dir, migrate, chunkBytesMax, crashAt, peer }: ThreadData, main: MessagePort): () => void | Promise<void> {
  if (role !== 'writer') waitForGate()
  const db = openIndex(dir)
  if (role === 'writer') {
    prepareSchema(db, migrate)
    setGate(GATE.open)
  }
  const reply = (replies: readonly Reply[]): void => main.postMessage(replies)
  const crash = crashPoint(crashAt)
  if (role === 'filer') {
    const problem = (error: unknown): void => main.postMessage({ problem: error === undefined ? null : packError(toKocoError(error, dir)) })
    const filer = new Filer(db, { dir, sizeMax: chunkBytesMax, writer: must(peer, 'the port to the writer'), crash, problem })
    return async () => await filer.close()
  }
  const server = role === 'reader' ? new Reader(db, dir, reply) : new Writer(db, { dir, crash, sizeMax: chunkBytesMax, filer: peer, reply })
  main.on('message', (message: readonly Request[] | 'close') => {
    if (message !== 'close') server.take(message)
  })
  return () => server.close()
}

function setGate(state: number): void {
  Atomics.store(data.gate, 0, state)
  Atomics.notify(data.gate, 0)
}

function waitForGate(): void {
  Atomics.wait(data.gate, 0, 0, GATE_WAIT_MAX_MS)
  if (Atomics.load(data.gate, 0) !== GATE.open) throw new UnavailableError('The writing thread of the store did not start.', { code: 'store_unavailable' })
}

async function finish(stop: () => void | Promise<void>): Promise<void> {
  await stop()
  data.peer?.close()
  port.close()
}
