import Database from 'better-sqlite3'
import { benchRecords } from './rows.ts'

const TRANSACTION_ROWS = 500

/** Rows a second of the plainest writer: one file, one prepared statement, transactions of 500 rows, as durable as ours (WAL, synchronous=FULL). */
export function bareLoopRate(file: string, rows: number): number {
  const db = new Database(file)
  db.pragma('journal_mode = WAL')
  db.pragma('synchronous = FULL')
  db.exec('CREATE TABLE monitor (id INTEGER PRIMARY KEY, epoch INTEGER, seq INTEGER, timestamp REAL, kind TEXT, step TEXT, message TEXT, UNIQUE (epoch, seq))')
  const insert = db.prepare('INSERT INTO monitor (epoch, seq, timestamp, kind, step, message) VALUES (?, ?, ?, ?, ?, ?)')
  const records = benchRecords(1_700_000_000_000, rows)
  const write = db.transaction((from: number) => {
    for (const { epoch, seq, ts, kind, step, data } of records.slice(from, from + TRANSACTION_ROWS)) insert.run(epoch, seq, ts, kind, step, data)
  })
  const start = performance.now()
  for (let from = 0; from < rows; from += TRANSACTION_ROWS) write(from)
  const rate = rows / ((performance.now() - start) / 1000)
  db.close()
  return rate
}
