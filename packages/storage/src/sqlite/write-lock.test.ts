// Goal: a process gets its turn to write beside one that commits all the time. Method: a thread that holds the lock nearly always, on a file of its own, and a store that writes meanwhile.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openIndex } from './connection.ts'
import { WriteLock } from './write-lock.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'koco-lock-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

/** Holds the lock for 60 ms, lets it go for half a millisecond, and again. */
const GREEDY = `
const { workerData, parentPort } = require('node:worker_threads')
const Database = require(workerData.module)
const db = new Database(workerData.file, { timeout: 5000 })
const sleep = new Int32Array(new SharedArrayBuffer(4))
let told = false
const turn = () => {
  db.exec('BEGIN IMMEDIATE')
  if (!told) parentPort.postMessage('held')
  told = true
  Atomics.wait(sleep, 0, 0, 60)
  db.exec('COMMIT')
  Atomics.wait(sleep, 0, 0, 0.5)
  setImmediate(turn)
}
turn()
`

test('beside one that nearly always has the lock, every transaction gets it within its time', async () => {
  const db = openIndex(dir)
  db.exec('CREATE TABLE t (n INTEGER)')
  const lock = new WriteLock(db)
  const greedy = new Worker(GREEDY, {
    eval: true,
    workerData: { file: join(dir, 'index.db'), module: createRequire(import.meta.url).resolve('better-sqlite3') },
  })
  try {
    await once(greedy, 'message')
    for (let n = 0; n < 8; n += 1) {
      lock.take()
      db.prepare('INSERT INTO t VALUES (?)').run(n)
      db.exec('COMMIT')
    }
    expect(db.prepare('SELECT count(*) FROM t').pluck().get()).toBe(8)
  } finally {
    await greedy.terminate()
    db.close()
  }
})

test('a lock that is never free: the error of SQLite after the time, and nothing is begun', () => {
  const db = openIndex(dir)
  const other = new Database(join(dir, 'index.db'))
  other.exec('BEGIN IMMEDIATE')
  const lock = new WriteLock(db)
  expect(() => lock.take()).toThrow(/locked/)
  expect(db.inTransaction).toBe(false)
  other.exec('COMMIT')
  lock.take()
  expect(db.inTransaction).toBe(true)
  db.exec('ROLLBACK')
  other.close()
  db.close()
})
