import { RefusedError } from '@koco/core'
import type { EndedRun } from '@koco/storage'

/** What is kept of runs that are over; null: without bound. `ageS`: seconds since the end. `runs`: so many. `bytes`: what their events and files take together. */
export type RetentionLimits = { readonly ageS: number | null; readonly runs: number | null; readonly bytes: number | null }

/**
 * What to keep. `all`: over all runs. `flows`: within one flow; its age stands in place of the one for all, its number and bytes stand beside them. `graceS`: a run that ended so short a time ago
 * stays whatever the limits say; it may still be looked at, or tried again.
 */
export type RetentionPolicy = { readonly all: RetentionLimits; readonly flows: Readonly<Record<string, Partial<RetentionLimits>>>; readonly graceS: number }

/** Which limit a run goes by. */
export type RetentionReason = 'age' | 'runs' | 'bytes'

/** A run that goes. `bytes` with its files. */
export type ChosenRun = EndedRun & { readonly reason: RetentionReason }

/** Bounded without any setting: a year, 100,000 runs, 50 GiB. */
export const DEFAULT_RETENTION: RetentionPolicy = { all: { ageS: 365 * 86_400, runs: 100_000, bytes: 50 * 2 ** 30 }, flows: {}, graceS: 3_600 }

/** True when no run would ever go by this policy. */
export function keepsEverything({ all, flows }: RetentionPolicy): boolean {
  return [all, ...Object.values(flows)].every(({ ageS, runs, bytes }) => (ageS ?? null) === null && (runs ?? null) === null && (bytes ?? null) === null)
}

type Sum = { runs: number; bytes: number }

/** Judges runs that come newest first: gives the reason why one goes, or undefined for one that stays. */
export function createJudge({ all, flows }: RetentionPolicy, nowS: number): (run: EndedRun) => RetentionReason | undefined {
  const total: Sum = { runs: 0, bytes: 0 }
  const byFlow = new Map<string, Sum>()
  return (run) => {
    const own = flows[run.flow] ?? {}
    const ageS = own.ageS === undefined ? all.ageS : own.ageS
    if (ageS !== null && run.endedAt < nowS - ageS) return 'age'
    const sum = byFlow.get(run.flow) ?? { runs: 0, bytes: 0 }
    const over = exceeds(all, total, run) ?? exceeds(own, sum, run)
    if (over) return over
    for (const each of [total, sum]) {
      each.runs += 1
      each.bytes += run.bytes
    }
    byFlow.set(run.flow, sum)
    return undefined
  }
}

function exceeds({ runs, bytes }: Partial<RetentionLimits>, kept: Sum, run: EndedRun): RetentionReason | undefined {
  if (runs !== undefined && runs !== null && kept.runs + 1 > runs) return 'runs'
  if (bytes !== undefined && bytes !== null && kept.bytes + run.bytes > bytes) return 'bytes'
  return undefined
}

const FORM = 'nightly:days=7,runs=500;report:bytes=1000000000'

/** Limits of single flows out of a setting such as `nightly:days=7,runs=500;report:bytes=1000000000`; 0 is without bound. RefusedError `bad_retention`. */
export function parseFlowLimits(text: string): Record<string, Partial<RetentionLimits>> {
  const flows: Record<string, Partial<RetentionLimits>> = {}
  for (const part of text.split(';').filter((one) => one.trim() !== '')) {
    const [flow = '', limits = ''] = part.split(':').map((one) => one.trim())
    if (!/^[a-z0-9][a-z0-9._-]{0,62}$/.test(flow) || limits === '') throw badForm(part)
    flows[flow] = Object.assign({}, ...limits.split(',').map((limit) => parseLimit(limit, part)))
  }
  return flows
}

function parseLimit(text: string, part: string): Partial<RetentionLimits> {
  const [, name, digits] = /^\s*(days|runs|bytes)\s*=\s*(\d+(?:\.\d+)?)\s*$/.exec(text) ?? []
  if (name === undefined) throw badForm(part)
  const value = Number(digits) === 0 ? null : Number(digits)
  if (name === 'days') return { ageS: value === null ? null : value * 86_400 }
  return name === 'runs' ? { runs: value } : { bytes: value }
}

function badForm(part: string): RefusedError {
  return new RefusedError(`"${part.trim()}" says not what to keep of which flow: write ${FORM}`, { code: 'bad_retention' })
}
