import type { Verdict } from './scenario.ts'

/** The report of a long run as text: the faults by kind, what was acknowledged, stored and checked, and what went wrong. */
export function formatReport(seed: number, verdicts: readonly Verdict[], minutes: number): string {
  const sum = (count: (verdict: Verdict) => number): string => verdicts.reduce((all, verdict) => all + count(verdict), 0).toLocaleString('en')
  const bad = verdicts.filter(({ violations }) => violations.length > 0)
  return [
    `seed ${seed}, ${verdicts.length} scenarios in ${minutes.toFixed(1)} minutes`,
    '',
    ...countKinds(verdicts).map(([kind, count]) => `${String(count).padStart(6)}  ${kind}`),
    '',
    `runs ${sum((v) => v.runs)}, live readers ${sum((v) => v.readers)}, which came again ${sum((v) => v.reconnects)} times`,
    `events acknowledged ${sum((v) => v.acknowledged)}, stored ${sum((v) => v.stored)}, checked ${sum((v) => v.checked)} (stored ones, and each as each reader was shown it)`,
    bad.length === 0 ? 'nothing lost, doubled, disordered, hanging or unseen' : `${bad.length} scenarios FAILED:`,
    ...bad.map(formatFailure),
  ].join('\n')
}

/** One scenario in a line. */
export function formatVerdict({ seed, kinds, workload, runs, stored, violations }: Verdict, seconds: number): string {
  const outcome = violations.length === 0 ? 'whole' : `FAILED (${violations.length})`
  return `${seed}: ${kinds.join(' + ')} under ${workload}: ${runs} runs, ${stored} events, ${seconds.toFixed(0)} s: ${outcome}`
}

/** What one scenario found, and how to see it again. */
export function formatFailure({ seed, kinds, violations }: Verdict): string {
  return [`  ${kinds.join(' + ')}; again: npm run test:crash -- --seed ${seed} --scenarios 1`, ...violations.slice(0, 20).map((text) => `    ${text}`)].join(
    '\n',
  )
}

function countKinds(verdicts: readonly Verdict[]): [string, number][] {
  const counts = new Map<string, number>()
  for (const kind of verdicts.flatMap(({ kinds }) => kinds)) counts.set(kind, (counts.get(kind) ?? 0) + 1)
  return [...counts].toSorted(([, a], [, b]) => b - a)
}
