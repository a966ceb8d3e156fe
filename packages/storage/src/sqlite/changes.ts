import type { NewRun } from '@koco/core'
import { isEnded, isFid, newRunState, RefusedError, toJsonText } from '@koco/core'
import { WORKER_KEPT_S } from '../current-flows.ts'
import type { ControlRequest } from '../port/runs.ts'
import type { DeadEvent } from '../port/dead-events.ts'
import type { FlowEntry, FlowWorker } from '../port/flows.ts'
import type { LockAnswer } from '../port/locks.ts'
import { checkpointTaskChanges } from './checkpoint-tasks.ts'
import { checkpointChanges } from './checkpoints.ts'
import type { Db } from './connection.ts'
import type { KnownRun, RunCache } from './run-cache.ts'
import { isUserName } from './run-files.ts'
import { readLock, type RunRows } from './run-rows.ts'
import { budgetChanges } from './budgets.ts'
import { scheduleChanges } from './schedules.ts'
import { sessionChanges } from './session-changes.ts'
import { webhookChanges } from './webhooks.ts'

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
  return {
    ...runChanges(db, rows, cache),
    ...controlChanges(db, cache),
    ...lockChanges(db, cache),
    ...deadChanges(db),
    ...flowChanges(db),
    ...scheduleChanges(db),
    ...sessionChanges(db),
    ...budgetChanges(db),
    ...checkpointChanges(db),
    ...checkpointTaskChanges(db),
    ...webhookChanges(db),
  }
}

function runChanges(db: Db, rows: RunRows, cache: RunCache) {
  const byKey = db.prepare<[string, string], string>('SELECT fid FROM runs WHERE user = ? AND idempotency_key = ?').pluck()
  const setArchived = db.prepare('UPDATE runs SET archived = ? WHERE fid = ?')
  return {
    create(run: CreateRun): { fid: string; created: boolean } {
      const { launcher, idempotencyKey, ...fresh } = run
      if (!isFid(run.fid)) throw new RefusedError(`"${run.fid}" is not a run id (24 lower-case hex digits).`, { code: 'bad_fid' })
      if (!isUserName(run.user)) throw new RefusedError(`"${run.user}" cannot own runs. ${NO_FOLDER}`, { code: 'bad_user' })
      const earlier = idempotencyKey === null ? undefined : byKey.get(run.user, idempotencyKey)
      if (earlier !== undefined) return { fid: earlier, created: false }
      const known = cache.find(run.fid)
      if (!known) cache.add(rows.insert(newRunState(fresh), launcher, idempotencyKey))
      else if (known.row.launcher !== '') return { fid: run.fid, created: false }
      else {
        rows.adopt(known.row, fresh, launcher, idempotencyKey)
        cache.forget(run.fid)
      }
      return { fid: run.fid, created: true }
    },

    archive(fid: string, archived: boolean): boolean {
      cache.forget(fid)
      return setArchived.run(archived ? 1 : 0, fid).changes > 0
    },
  }
}

function controlChanges(db: Db, cache: RunCache) {
  const setTopEpoch = db.prepare('UPDATE run_states SET top_epoch = ? WHERE run = ?')
  const wanted = db.prepare<[number], string>('SELECT wanted FROM run_controls WHERE run = ?').pluck()
  const setControl = db.prepare(
    'INSERT INTO run_controls (run, wanted, by, reason, at) VALUES (?, ?, ?, ?, ?) ON CONFLICT (run) DO UPDATE SET wanted = excluded.wanted, by = excluded.by, reason = excluded.reason, at = excluded.at',
  )
  const mustFind = (fid: string): KnownRun => {
    const known = cache.find(fid)
    if (!known) throw new RefusedError(`There is no run ${fid}.`, { code: 'unknown_run' })
    return known
  }
  return {
    nextEpoch(fid: string, nowMs: number): number {
      const known = mustFind(fid)
      const epoch = Math.max(Math.floor(nowMs), known.row.topEpoch + 1)
      setTopEpoch.run(epoch, known.row.id)
      known.row = { ...known.row, topEpoch: epoch }
      return epoch
    },

    request(fid: string, control: ControlRequest): void {
      const { row } = mustFind(fid)
      const isCancelled = wanted.get(row.id) === 'cancel' && !isEnded(row.state.status)
      if (isCancelled && control.wanted !== 'cancel') return
      setControl.run(row.id, control.wanted, control.by, control.reason, control.at)
    },
  }
}

function lockChanges(db: Db, cache: RunCache) {
  const find = db.prepare<[number, string], string>('SELECT state FROM locks WHERE run = ? AND lid = ?').pluck()
  const answeredBy = db.prepare<[number, string], string>('SELECT by FROM lock_answers WHERE run = ? AND lid = ?').pluck()
  const add = db.prepare('INSERT INTO lock_answers (run, lid, answer, by, at, reason) VALUES (?, ?, ?, ?, ?, ?)')
  return {
    answer(fid: string, given: LockAnswer): AnswerResult {
      const row = cache.find(fid)?.row
      const text = row && find.get(row.id, given.lid)
      if (!row || text === undefined) return { outcome: 'unknown' }
      const earlier = answeredBy.get(row.id, given.lid)
      if (earlier !== undefined) return { outcome: 'answered', by: earlier }
      const lock = readLock(text)
      if (lock.status === 'answered') return { outcome: 'answered', by: lock.answeredBy ?? '' }
      if (lock.status !== 'open') return { outcome: lock.status }
      if (lock.expiresAt !== null && given.at >= lock.expiresAt) return { outcome: 'expired' }
      add.run(row.id, given.lid, toJsonText(given.answer), given.by, given.at, given.reason ?? null)
      return { outcome: 'accepted' }
    },
  }
}

function deadChanges(db: Db) {
  const add = db.prepare('INSERT OR IGNORE INTO dead_events (fid, position, reason, body, at) VALUES (?, ?, ?, ?, ?)')
  const discard = db.prepare('DELETE FROM dead_events WHERE id = ?')
  return {
    addDead({ fid, position, reason, body, at }: Omit<DeadEvent, 'id'>): void {
      add.run(fid, position, reason, body, at)
    },

    discardDead(id: number): boolean {
      return discard.run(id).changes > 0
    },
  }
}

function flowChanges(db: Db) {
  const setWorker = db.prepare(
    'INSERT INTO flow_workers (id, launcher, host, pid, seen_at) VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET launcher = excluded.launcher, host = excluded.host, pid = excluded.pid, seen_at = excluded.seen_at',
  )
  const setFlow = db.prepare(
    'INSERT INTO flow_versions (name, version, entry, since) VALUES (?, ?, ?, ?) ON CONFLICT (name, version) DO UPDATE SET entry = excluded.entry',
  )
  const addServed = db.prepare('INSERT OR IGNORE INTO flow_workers_entries (worker, name, version) VALUES (?, ?, ?)')
  const dropGone = [
    db.prepare('DELETE FROM flow_workers_entries WHERE worker IN (SELECT id FROM flow_workers WHERE seen_at < ?)'),
    db.prepare('DELETE FROM flow_workers WHERE seen_at < ?'),
  ]
  const dropServed = db.prepare('DELETE FROM flow_workers_entries WHERE worker = ?')
  const dropWorker = db.prepare('DELETE FROM flow_workers WHERE id = ?')
  const health = db.prepare('INSERT INTO health (id, at) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET at = excluded.at')
  return {
    heartbeat({ id, launcher, host, pid, seenAt }: FlowWorker, flows: readonly FlowEntry[]): void {
      setWorker.run(id, launcher, host, pid, seenAt)
      dropServed.run(id)
      for (const flow of flows) {
        const version = JSON.stringify(flow.version)
        setFlow.run(flow.name, version, JSON.stringify(flow), seenAt)
        addServed.run(id, flow.name, version)
      }
      for (const drop of dropGone) drop.run(seenAt - WORKER_KEPT_S)
    },

    leave(workerId: string): void {
      dropServed.run(workerId)
      dropWorker.run(workerId)
    },

    check(at: number): void {
      health.run(at)
    },
  }
}
