import type { EventRecord } from '@koco/core'
import { attempt, lines, plainRun, START } from '../contract/scenario.ts'

/** The runs of the crash tests, the same in every process: some end early, some have a second epoch. */
export function crashRuns(): { readonly fid: string; readonly records: readonly EventRecord[] }[] {
  return Array.from({ length: 12 }, (_, i) => {
    const fid = `6ab13b80${String(i).padStart(16, '0')}`
    const first = plainRun(START * 1000, 20 + i * 8)
    const last = first.at(-1)
    const second = i % 3 === 0 && last ? [attempt(START * 1000 + 5, last, { reason: 'retry' }), ...lines(START * 1000 + 5, 2, 30)] : []
    return { fid, records: [...first, ...second] }
  })
}
