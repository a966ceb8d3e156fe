import { isRunStatus } from '@koco/core'
import type { RunFilter } from '../api/runs.ts'

/** The times that a list can be narrowed to, counted back from now, in seconds. */
export const SPANS = { '1h': 3600, '24h': 86_400, '7d': 7 * 86_400, '30d': 30 * 86_400 } as const

/** What the URL of the run list says: the filter, so that a view can be kept as a bookmark and shared. Statuses are joined by commas; days are the person's own. */
export type RunsSearch = {
  readonly status?: string
  readonly flow?: string
  readonly q?: string
  readonly user?: string
  readonly tag?: string
  readonly since?: keyof typeof SPANS
  readonly from?: string
  readonly to?: string
  readonly archived?: 'true'
}

const TEXTS = ['flow', 'user', 'tag', 'q'] as const
const DAYS = ['from', 'to'] as const

/** The search of a URL, without what it cannot mean. */
export function runsSearch(search: Record<string, unknown>): RunsSearch {
  const text = (name: string) => (typeof search[name] === 'string' || typeof search[name] === 'number' ? String(search[name]).slice(0, 200) : '')
  const status = text('status').split(',').filter(isRunStatus).join(',')
  const since = text('since')
  return {
    ...(status !== '' && { status }),
    ...Object.fromEntries(TEXTS.filter((name) => text(name) !== '').map((name) => [name, text(name)])),
    ...(since in SPANS && { since: since as keyof typeof SPANS }),
    ...Object.fromEntries(DAYS.filter((name) => startOfDay(text(name)) !== undefined).map((name) => [name, text(name)])),
    ...((search['archived'] === true || search['archived'] === 'true') && { archived: 'true' }),
  }
}

/** The filter that a URL names, at a moment in unix seconds. */
export function filterOf(search: RunsSearch, now: number): RunFilter {
  const { status, since, from, to, ...rest } = search
  const begin = since === undefined ? startOfDay(from ?? '') : Math.floor(now) - SPANS[since]
  const last = since === undefined ? startOfDay(to ?? '') : undefined
  return {
    ...rest,
    ...(status !== undefined && { status: status.split(',') }),
    ...(begin !== undefined && { created_from: begin }),
    ...(last !== undefined && { created_to: startOfDay(to ?? '', 1) ?? last }),
  }
}

function startOfDay(text: string, plusDays = 0): number | undefined {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text)
  if (!match) return undefined
  const at = new Date(Number(match[1]), Number(match[2]) - 1, Number(match[3]) + plusDays).getTime()
  return Number.isNaN(at) ? undefined : at / 1000
}
