import { parseJson, RefusedError } from '@koco/core'
import { clampLimit, decodeCursor, encodeCursor, pageOf } from '../cursor.ts'
import type { Page } from '../port/page.ts'
import type { Schedule, ScheduleStep, ScheduleStore } from '../port/schedules.ts'
import type { Db } from './connection.ts'

type Raw = {
  readonly id: string
  readonly user: string
  readonly launcher: string
  readonly about: string
  readonly paused: number
  readonly nextAt: number | null
  readonly lastAt: number | null
  readonly lastFid: string | null
  readonly problem: string | null
}
type About = Pick<Schedule, 'flow' | 'inputs' | 'timing' | 'missed' | 'overlap' | 'createdAt'>

const SELECT = 'SELECT id, user, launcher, about, paused, next_at AS nextAt, last_at AS lastAt, last_fid AS lastFid, problem FROM schedules'

/** The reads of schedules. */
export function scheduleQueries(db: Db) {
  const get = db.prepare<[string], Raw>(`${SELECT} WHERE id = ?`)
  const list = db.prepare<[string, string | null, string | null, number], Raw>(`${SELECT} WHERE id > ? AND (? IS NULL OR user = ?) ORDER BY id LIMIT ?`)
  const due = db.prepare<[string, number, number], Raw>(
    `${SELECT} WHERE launcher = ? AND paused = 0 AND next_at IS NOT NULL AND next_at <= ? ORDER BY next_at LIMIT ?`,
  )
  return {
    getSchedule(id: string): Schedule | undefined {
      const raw = get.get(id)
      return raw && read(raw)
    },
    listSchedules({ user, cursor, limit: asked }: Parameters<ScheduleStore['list']>[0]): Page<Schedule> {
      const limit = clampLimit(asked)
      const [after] = cursor === undefined ? [''] : decodeCursor('schedules', cursor, ['string'])
      return pageOf(list.all(after, user ?? null, user ?? null, limit + 1).map(read), limit, ({ id }) => encodeCursor('schedules', [id]))
    },
    dueSchedules: (launcher: string, at: number, limit: number): Schedule[] => due.all(launcher, at, clampLimit(limit)).map(read),
  }
}

/** The writes of schedules. */
export function scheduleChanges(db: Db) {
  const insert = db.prepare(
    'INSERT OR IGNORE INTO schedules (id, user, launcher, about, paused, next_at, last_at, last_fid, problem) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
  )
  const pause = db.prepare('UPDATE schedules SET paused = ?, next_at = ? WHERE id = ?')
  const advance = db.prepare('UPDATE schedules SET next_at = ? WHERE id = ? AND next_at IS ?')
  const note = db.prepare(
    'UPDATE schedules SET last_at = @lastAt, last_fid = @lastFid, problem = @problem WHERE id = @id AND coalesce(last_at, 0) <= coalesce(@lastAt, 0)',
  )
  const drop = db.prepare('DELETE FROM schedules WHERE id = ?')
  return {
    createSchedule({ id, user, launcher, paused, nextAt, lastAt, lastFid, problem, ...about }: Schedule): void {
      const { changes } = insert.run(id, user, launcher, JSON.stringify(about satisfies About), paused ? 1 : 0, nextAt, lastAt, lastFid, problem)
      if (changes === 0) throw new RefusedError(`There is a schedule "${id}" already.`, { code: 'schedule_exists' })
    },
    pauseSchedule: (id: string, paused: boolean, nextAt: number | null): boolean => pause.run(paused ? 1 : 0, nextAt, id).changes > 0,
    advanceSchedule(id: string, from: number | null, { nextAt, lastAt, lastFid, problem }: ScheduleStep): boolean {
      const isTaken = advance.run(nextAt, id, from).changes > 0
      if (isTaken) note.run({ id, lastAt, lastFid, problem })
      return isTaken
    },
    deleteSchedule: (id: string): boolean => drop.run(id).changes > 0,
  }
}

function read({ about, paused, ...columns }: Raw): Schedule {
  return { ...(parseJson(about) as unknown as About), ...columns, paused: paused === 1 }
}
