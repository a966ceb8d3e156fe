import type { NewRun } from '@koco/core'
import { isEnded, isFid, newRunState, RefusedError } from '@koco/core'
import type { ControlRequest, DeadEvent, FlowEntry, FlowWorker, LockAnswer } from '../port.ts'
import type { Db } from './connection.ts'
import type { RunCache } from './run-cache.ts'
import { homeOf } from './run-files.ts'
import type { RunRow, RunRows } from './run-rows.ts'
import { readLock } from './run-rows.ts'

/** What `RunStore.create` takes. */
export type CreateRun = NewRun & { readonly launcher: string; readonly idempotencyKey: string | null }

/** What became of an answer to a lock. */
export type AnswerResult =
  | { readonly outcome: 'accepted' }
  | { readonly outcome: 'answered'; readonly by: string }
  | { readonly outcome: 'expired' | 'closed' | 'unknown' }

const NO_FOLDER = 'A user of a run is a folder name: a-z, 0-9, dot, dash and underscore, at most 63, the first a letter or digit.'

/** The small changes that people and launchers make, each within the caller's transaction. */
export function createChanges(db: Db, rows: RunRows, cache: RunCache) {
  const statements = prepare(db)

  const mustFind = (fid: string): RunRow => {
    const row = cache.find(fid)?.row
    if (!row) throw new RefusedError(`There is no run ${fid}.`, { code: 'unknown_run' })
    return row
  }

  return {
    create(run: CreateRun): { fid: string; created: boolean } {
      const { launcher, idempotencyKey, ...fresh } = run
      if (!isFid(run.fid)) throw new RefusedError(`"${run.fid}" is not a run id (24 lower-case hex digits).`, { code: 'bad_fid' })
      if (homeOf(run.user) !== run.user) throw new RefusedError(`"${run.user}" cannot own runs. ${NO_FOLDER}`, { code: 'bad_user' })
      const earlier = idempotencyKey === null ? undefined : statements.byKey.get(run.user, idempotencyKey)
      if (earlier !== undefined) return { fid: earlier as string, created: false }
      const known = cache.find(run.fid)
      if (!known) cache.add(rows.insert(newRunState(fresh), launcher, idempotencyKey))
      else if (known.row.launcher !== '') return { fid: run.fid, created: false }
      else {
        rows.adopt(known.row, fresh, launcher, idempotencyKey)
        cache.forget(run.fid)
      }
      return { fid: run.fid, created: true }
    },

    nextEpoch(fid: string, nowMs: number): number {
      const row = mustFind(fid)
      const epoch = Math.max(Math.floor(nowMs), row.topEpoch + 1)
      statements.setTopEpoch.run(epoch, row.id)
      cache.forget(fid)
      return epoch
    },

    request(fid: string, control: ControlRequest): void {
      const row = mustFind(fid)
      const before = statements.wanted.get(row.id)
      if (before === 'cancel' && control.wanted !== 'cancel' && !isEnded(row.state.status)) return
      statements.setControl.run(row.id, control.wanted, control.by, control.reason, control.at)
    },

    archive(fid: string, archived: boolean): boolean {
      cache.forget(fid)
      return statements.setArchived.run(archived ? 1 : 0, fid).changes > 0
    },

    answer(fid: string, given: LockAnswer): AnswerResult {
      const row = cache.find(fid)?.row
      const text = row && statements.lock.get(row.id, given.lid)
      if (!row || text === undefined) return { outcome: 'unknown' }
      const earlier = statements.answeredBy.get(row.id, given.lid)
      if (earlier !== undefined) return { outcome: 'answered', by: earlier as string }
      const lock = readLock(text as string)
      if (lock.status === 'answered') return { outcome: 'answered', by: lock.answeredBy ?? '' }
      if (lock.status !== 'open') return { outcome: lock.status }
      if (lock.expiresAt !== null && given.at >= lock.expiresAt) return { outcome: 'expired' }
      statements.addAnswer.run(row.id, given.lid, JSON.stringify(given.answer), given.by, given.at)
      return { outcome: 'accepted' }
    },

    addDead({ fid, position, reason, body, at }: Omit<DeadEvent, 'id'>): void {
      statements.addDead.run(fid, position, reason, body, at)
    },

    discardDead(id: number): boolean {
      return statements.discardDead.run(id).changes > 0
    },

    heartbeat(worker: FlowWorker, flows: readonly FlowEntry[]): void {
      const { id, launcher, host, pid, seenAt } = worker
      statements.setWorker.run(id, launcher, host, pid, seenAt)
      statements.dropServed.run(id)
      for (const flow of flows) {
        statements.setFlow.run(flow.name, JSON.stringify(flow))
        statements.addServed.run(id, flow.name)
      }
    },

    leave(workerId: string): void {
      statements.dropServed.run(workerId)
      statements.dropWorker.run(workerId)
    },

    check(at: number): void {
      statements.health.run(at)
    },
  }
}

function prepare(db: Db) {
  return {
    byKey: db.prepare('SELECT fid FROM runs WHERE user = ? AND idempotency_key = ?').pluck(),
    setTopEpoch: db.prepare('UPDATE run_states SET top_epoch = ? WHERE run = ?'),
    setArchived: db.prepare('UPDATE runs SET archived = ? WHERE fid = ?'),
    wanted: db.prepare('SELECT wanted FROM run_controls WHERE run = ?').pluck(),
    setControl: db.prepare(
      'INSERT INTO run_controls (run, wanted, by, reason, at) VALUES (?, ?, ?, ?, ?) ON CONFLICT (run) DO UPDATE SET wanted = excluded.wanted, by = excluded.by, reason = excluded.reason, at = excluded.at',
    ),
    lock: db.prepare('SELECT state FROM locks WHERE run = ? AND lid = ?').pluck(),
    answeredBy: db.prepare('SELECT by FROM lock_answers WHERE run = ? AND lid = ?').pluck(),
    addAnswer: db.prepare('INSERT INTO lock_answers (run, lid, answer, by, at) VALUES (?, ?, ?, ?, ?)'),
    addDead: db.prepare('INSERT OR IGNORE INTO dead_events (fid, position, reason, body, at) VALUES (?, ?, ?, ?, ?)'),
    discardDead: db.prepare('DELETE FROM dead_events WHERE id = ?'),
    setWorker: db.prepare(
      'INSERT INTO flow_workers (id, launcher, host, pid, seen_at) VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET launcher = excluded.launcher, host = excluded.host, pid = excluded.pid, seen_at = excluded.seen_at',
    ),
    dropWorker: db.prepare('DELETE FROM flow_workers WHERE id = ?'),
    dropServed: db.prepare('DELETE FROM flow_workers_entries WHERE worker = ?'),
    setFlow: db.prepare('INSERT INTO flow_entries (name, entry) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET entry = excluded.entry'),
    addServed: db.prepare('INSERT OR IGNORE INTO flow_workers_entries (worker, name) VALUES (?, ?)'),
    health: db.prepare('INSERT INTO health (id, at) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET at = excluded.at'),
  }
}
