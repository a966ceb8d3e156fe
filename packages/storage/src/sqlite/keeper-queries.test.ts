// Goal: what a run takes is told whole, also while its events are on their way from the index into its file. Method: two runs that are over; the second is filed while the size of the first is looked up.
import { rmSync } from 'node:fs'
import { newRunState } from '@koco/core'
import { newFolder } from '@koco/testing'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { someFid, someRun, START } from '../contract/scenario.ts'
import { openIndex, type Db } from './connection.ts'
import { keeperQueries } from './keeper-queries.ts'
import { RunFiles } from './run-files.ts'
import { RunRows } from './run-rows.ts'
import { prepareSchema } from './schema.ts'

let dir: string
let writing: Db
let reading: Db
beforeEach(() => {
  dir = newFolder('keeper-queries')
  writing = openIndex(dir)
  prepareSchema(writing, true)
  reading = openIndex(dir)
})
afterEach(() => {
  reading.close()
  writing.close()
  rmSync(dir, { recursive: true, force: true })
})

const addEnded = (createdAt: number): number =>
  new RunRows(writing).insert({ ...newRunState(someRun(someFid(), { createdAt })), status: 'finished', finishedAt: createdAt + 1 }, 'direct', null).id

function file(run: number): void {
  writing.transaction(() => {
    writing.prepare("UPDATE runs SET home = 'ada' WHERE id = ?").run(run)
    writing.prepare('DELETE FROM chunks WHERE run = ?').run(run)
  })()
}

test('a run that is filed in the middle of a list counts with what it had in the index', () => {
  const [second, first] = [addEnded(START + 1), addEnded(START + 2)]
  writing.prepare("INSERT INTO chunks (run, epoch, first_seq, last_seq, size, head, body) VALUES (?, 1, 1, 1, 5000, '', '')").run(second)
  file(first)
  const size = () => {
    file(second)
    return 700
  }
  const { endedRuns } = keeperQueries(reading, Object.assign(new RunFiles(dir), { size }))
  expect(endedRuns({ endedBefore: START + 10, limit: 10 }).items.map(({ bytes }) => bytes)).toEqual([700, 5000])
})
