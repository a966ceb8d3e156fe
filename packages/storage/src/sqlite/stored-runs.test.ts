// Goal: a walk over all runs that are stored takes work in proportion to them, however many pages it has. Method: real folders and rows, pages of ten, and a count of what is listed.
import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { newRunState } from '@koco/core'
import { newFolder } from '@koco/testing'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { someFid, someRun } from '../contract/scenario.ts'
import { openIndex, type Db } from './connection.ts'
import { RunRows } from './run-rows.ts'
import { prepareSchema } from './schema.ts'
import { StoredRuns } from './stored-runs.ts'

const PAGE = 10
const HOMES = ['ada', 'bob', '_'] as const

let dir: string
let db: Db
let listed: string[]
let stored: StoredRuns
beforeEach(() => {
  dir = newFolder('stored-runs')
  db = openIndex(dir)
  prepareSchema(db, true)
  listed = []
  stored = new StoredRuns(db, dir, (path, folders) => {
    listed.push(path)
    return readdirSync(path, { withFileTypes: true }).flatMap((entry) => (folders && !entry.isDirectory() ? [] : entry.name))
  })
})
afterEach(() => {
  db.close()
  rmSync(dir, { recursive: true, force: true })
})

function addFolder(home: string, fid = someFid()): string {
  mkdirSync(join(dir, home, fid), { recursive: true })
  return fid
}

function addRow(fid = someFid()): string {
  new RunRows(db).insert(newRunState(someRun(fid)), 'direct', null)
  return fid
}

function* walk(): Generator<readonly { readonly fid: string; readonly home: string | null }[]> {
  for (let after: string | null = null; ;) {
    const page = stored.page(after, PAGE)
    yield page
    const last = page.at(-1)
    if (!last || page.length < PAGE) return
    after = last.fid
  }
}

test('each folder is listed once a walk, and all runs come in order: those with a folder, with a row, and with both', () => {
  const homes = new Map<string, string | null>()
  for (const home of HOMES) for (let i = 0; i < 40; i++) homes.set(addFolder(home), home)
  for (let i = 0; i < 35; i++) homes.set(addRow(), null)
  for (const [fid] of [...homes].slice(0, 15)) addRow(fid)
  mkdirSync(join(dir, 'locks'))
  addFolder('bob', 'no-fid')
  const pages = [...walk()]
  expect(pages.flat()).toEqual([...homes].map(([fid, home]) => ({ fid, home })).toSorted((a, b) => (a.fid < b.fid ? -1 : 1)))
  expect(pages).toHaveLength(16)
  expect(listed.toSorted()).toEqual([dir, ...HOMES.map((home) => join(dir, home))].toSorted())
})

test('walks beside each other do not list again for each page', () => {
  for (let i = 0; i < 45; i++) addFolder('ada')
  const [one, other] = [walk(), walk()]
  for (let i = 0; i < 5; i++) expect(one.next().value).toEqual(other.next().value)
  // Each of both listed at its start; the one that ends first takes the listing that they share with it.
  expect(listed.length).toBeLessThanOrEqual(3 * 2)
})

test('a run that comes during a walk is found by its row', () => {
  for (let i = 0; i < 25; i++) addFolder('ada')
  const pages = walk()
  const seen = [...(pages.next().value ?? [])]
  const late = addRow('ffffffffffffffffffffffff')
  for (const page of pages) seen.push(...page)
  expect(seen).toHaveLength(26)
  expect(seen.at(-1)).toEqual({ fid: late, home: null })
})
