// Goal: whatever step a process dies at, nothing that was acknowledged is lost and nothing is there twice. Method: a child process is killed with -9 at a named point of writing or filing; then the
// store is opened again, read, and given everything once more, as a stream would.
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { comparePositions, type Position } from '@koco/core'
import { expect, test } from 'vitest'
import { timeline } from '../contract/scenario.ts'
import type { ExecutionStore } from '../port/execution-store.ts'
import { crashRuns } from './crash-runs.ts'
import { createSqliteExecutionStore } from './index.ts'

const CHILD = fileURLToPath(new URL('crash-writer.ts', import.meta.url))
const CRASHES = [
  ['write:before-commit', 3],
  ['write:committed', 4],
  ['write:chunk-deleted', 2],
  ['file:copied', 3],
  ['file:durable', 2],
] as const

test.for(CRASHES)(
  'killed at %s (%i): what was acknowledged is there, and everything once after it is sent again',
  { timeout: 60_000 },
  async ([point, nth]) => {
    const dir = await mkdtemp(join(tmpdir(), 'koco-crash-'))
    try {
      const { signal, acknowledged } = await runChild(dir, point, nth)
      expect(signal).toBe('SIGKILL')
      await judge(dir, acknowledged)
    } finally {
      await rm(dir, { recursive: true })
    }
  },
)

async function judge(dir: string, acknowledged: ReadonlyMap<string, Position>): Promise<void> {
  const store = await createSqliteExecutionStore({ dir, migrate: true, chunkBytesMax: 40_000 })
  const runs = crashRuns()
  for (const { fid, records } of runs) {
    const stored = await timeline(store, fid, 50)
    expect(stored).toEqual(records.slice(0, stored.length))
    const top = acknowledged.get(fid)
    expect(stored.length).toBeGreaterThanOrEqual(records.filter((record) => top && comparePositions(record, top) <= 0).length)
  }
  for (const { fid, records } of runs) {
    const { alarms } = await store.writer.write([{ fid, records }])
    expect(alarms).toEqual([])
  }
  await expectWhole(store)
  await store.close()
  const again = await createSqliteExecutionStore({ dir })
  await expectWhole(again)
  await again.close()
}

async function expectWhole(store: ExecutionStore): Promise<void> {
  for (const { fid, records } of crashRuns()) {
    expect(await timeline(store, fid, 1000)).toEqual(records)
    expect(await store.runs.get(fid)).toMatchObject({ events: records.length })
  }
}

function runChild(dir: string, point: string, nth: number): Promise<{ signal: string | null; acknowledged: Map<string, Position> }> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [CHILD, dir, point, String(nth)], { timeout: 25_000 }, (_error, stdout) => {
      const acknowledged = new Map<string, Position>()
      for (const line of stdout.split('\n').slice(0, -1)) {
        const [fid = '', epoch, seq] = line.split(' ')
        acknowledged.set(fid, { epoch: Number(epoch), seq: Number(seq) })
      }
      resolve({ signal: child.signalCode, acknowledged })
    })
  })
}
