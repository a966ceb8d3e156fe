// Goal: what only the SQLite store does: its folder, the files of runs, several openers of one folder, and what it says when it cannot work. Method: real folders, looked into with SQL.
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, onTestFinished, test } from 'vitest'
import { lines, meta, opening, plainRun, record, someFid, someRun, START, timeline } from '../contract/scenario.ts'
import type { ExecutionStore } from '../port/execution-store.ts'
import { createSqliteExecutionStore, migrateSqliteTables, readSqliteVersion, type SqliteStoreOptions } from './index.ts'

const E1 = START * 1000

async function someFolder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'koco-store-'))
  onTestFinished(async () => await rm(dir, { recursive: true, force: true }))
  return dir
}

async function open(dir: string, more: Partial<SqliteStoreOptions> = {}): Promise<ExecutionStore> {
  const store = await createSqliteExecutionStore({ dir, migrate: true, ...more })
  onTestFinished(async () => await store.close())
  return store
}

function rows(file: string, sql: string): unknown[] {
  const db = new Database(file, { readonly: true })
  try {
    return db.prepare(sql).all()
  } finally {
    db.close()
  }
}

test('a closed store leaves each run as one file, and nothing in the chunks', async () => {
  const dir = await someFolder()
  const store = await open(dir)
  const [plain, nobody] = [someFid(), someFid()]
  await store.runs.create(someRun(plain))
  await store.writer.write([
    { fid: plain, records: plainRun(E1, 3) },
    { fid: nobody, records: [...opening(E1).slice(0, 3), meta(E1, 4, { user: '../../up' })] },
  ])
  await store.close()
  expect(await readdir(join(dir, 'ada', plain))).toEqual(['sqlite3.db'])
  expect(await readdir(join(dir, '_', nobody))).toEqual(['sqlite3.db'])
  const filed = rows(join(dir, 'ada', plain, 'sqlite3.db'), 'SELECT epoch, seq, timestamp AS ts, kind, step, message AS data FROM monitor ORDER BY epoch, seq')
  expect(filed).toEqual(plainRun(E1, 3))
  expect(rows(join(dir, 'index.db'), 'SELECT count(*) AS n FROM chunks')).toEqual([{ n: 0 }])
})

test('runs that go on after they were filed are appended to, and read from file and chunks together', async () => {
  const dir = await someFolder()
  const fid = someFid()
  const records = [...opening(E1), ...lines(E1, 6, 600)]
  // So small a bound that filing and writing take turns.
  const store = await open(dir, { chunkBytesMax: 20_000 })
  for (let i = 0; i < records.length; i += 30) {
    await store.writer.write([{ fid, records: records.slice(i, i + 30) }])
    expect(await timeline(store, fid, 250)).toEqual(records.slice(0, i + 30))
  }
  const again = await store.writer.write([{ fid, records: [...records.slice(100, 300), { ...record(E1, 301, 'debug', { type: 'text', value: 'other' }) }] }])
  expect(again).toMatchObject({ runs: [{ inserted: 0, duplicates: 201 }], alarms: [{ alarm: 'conflict', position: { epoch: E1, seq: 301 } }] })
  await store.close()
  expect(rows(join(dir, 'ada', fid, 'sqlite3.db'), 'SELECT count(*) AS n FROM monitor')).toEqual([{ n: 605 }])
  expect(await readdir(join(dir, 'ada', fid))).toEqual(['sqlite3.db'])
})

test('two openers of one folder write the same runs at once, and each sees what the other wrote', async () => {
  const dir = await someFolder()
  const [one, two] = [await open(dir), await open(dir)]
  const runs = Array.from({ length: 6 }, (_, i) => ({ fid: someFid(), records: plainRun(E1, 20 + i * 10) }))
  const send = async (store: ExecutionStore, size: number): Promise<void> => {
    for (let i = 0; i < 80; i += size) await store.writer.write(runs.map(({ fid, records }) => ({ fid, records: records.slice(i, i + size) })))
  }
  await Promise.all([send(one, 7), send(two, 11)])
  for (const { fid, records } of runs) {
    expect(await timeline(one, fid, 100)).toEqual(records)
    expect(await timeline(two, fid, 100)).toEqual(records)
  }
  const giveBack = await one.exclusive('direct-launcher')
  expect(await two.exclusive('direct-launcher')).toBeUndefined()
  await giveBack?.()
  expect(await two.exclusive('direct-launcher')).toBeTypeOf('function')
  const epochs = await Promise.all([one, two, one, two].map(async (store) => await store.runs.nextEpoch(runs[0]?.fid ?? '', E1)))
  expect(new Set(epochs).size).toBe(4)
})

test('an opener that takes no events leaves the files to those that do, and does all else', async () => {
  const dir = await someFolder()
  const [taking, other] = [await open(dir), await open(dir, { takesEvents: false })]
  const fid = someFid()
  const locks = () => readdir(join(dir, 'locks'))
  await other.runs.create(someRun(fid))
  await taking.writer.write([{ fid, records: plainRun(E1, 3) }])
  expect(await timeline(other, fid, 500)).toEqual(plainRun(E1, 3))
  await expect(other.writer.write([{ fid, records: plainRun(E1, 3) }])).rejects.toThrow('takesEvents: false')
  await other.check()
  await taking.close()
  await rm(join(dir, 'locks'), { recursive: true })
  await other.runs.archive(fid, true)
  await other.close()
  expect(await locks().catch(() => 'none')).toBe('none')
})

test('a folder that cannot be one is refused with the remedy', async () => {
  const dir = await someFolder()
  await writeFile(join(dir, 'file'), 'x')
  await expect(createSqliteExecutionStore({ dir: join(dir, 'file') })).rejects.toMatchObject({ name: 'RefusedError', code: 'bad_data_folder' })
  await expect(createSqliteExecutionStore({ dir: join(dir, 'file', 'below') })).rejects.toMatchObject({
    code: 'bad_data_folder',
    message: expect.stringContaining('KODO_EXEC_DIR'),
  })
})

test('a damaged index says what to do', async () => {
  const dir = await someFolder()
  await writeFile(join(dir, 'index.db'), 'this is no database, it only has the length of one. '.repeat(100))
  await expect(createSqliteExecutionStore({ dir, migrate: true })).rejects.toMatchObject({
    name: 'UnavailableError',
    message: expect.stringContaining('KODO_EXEC_DIR'),
  })
})

test('tables are made on wish only, once, and newer ones are left alone', async () => {
  const dir = await someFolder()
  expect(readSqliteVersion(dir)).toMatchObject({ found: 0 })
  await expect(createSqliteExecutionStore({ dir })).rejects.toMatchObject({
    name: 'RefusedError',
    code: 'schema_older',
    message: expect.stringContaining('koco db --create-tables'),
  })
  expect(migrateSqliteTables(dir)).not.toEqual([])
  expect(migrateSqliteTables(dir)).toEqual([])
  const { found, wanted } = readSqliteVersion(dir)
  expect(found).toBe(wanted)
  await (await open(dir, { migrate: false })).close()
  const db = new Database(join(dir, 'index.db'))
  db.pragma('user_version = 999')
  db.close()
  await expect(createSqliteExecutionStore({ dir, migrate: true })).rejects.toMatchObject({
    name: 'RefusedError',
    code: 'schema_newer',
    message: expect.stringContaining('newer koco'),
  })
})

test('a run whose file cannot be made stays in its chunks, and the check says why', async () => {
  const dir = await someFolder()
  const fid = someFid()
  await mkdir(join(dir, 'ada'), { recursive: true })
  await writeFile(join(dir, 'ada', fid), 'in the way')
  const store = await open(dir)
  await store.writer.write([{ fid, records: plainRun(E1, 3) }])
  await expect
    .poll(
      async () =>
        await store.check().then(
          () => 'well',
          (error: Error) => error.name,
        ),
    )
    .toBe('UnavailableError')
  expect(await timeline(store, fid)).toEqual(plainRun(E1, 3))
  await store.close()
  const again = await open(dir)
  expect(await timeline(again, fid)).toEqual(plainRun(E1, 3))
})
