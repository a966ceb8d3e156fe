import { isEnded } from '@koco/core'
import type { ReactNode } from 'react'
import type { RunRow } from '../api/shapes.ts'
import { compact, cost } from '../show/format.ts'
import { Ago, Runtime } from '../show/time.tsx'

/** A column of the run list that a person can show or hide. `wide`: only where there is room. */
export type Column = {
  readonly key: string
  readonly label: string
  readonly width: number
  readonly number?: boolean
  readonly wide?: boolean
  readonly cell: (run: RunRow) => ReactNode
}

/** All of them, in their order. */
export const COLUMNS: readonly Column[] = [
  { key: 'user', label: 'User', width: 110, wide: true, cell: (run) => run.user },
  { key: 'tags', label: 'Tags', width: 130, wide: true, cell: (run) => run.tags.join(', ') },
  { key: 'started', label: 'Started', width: 108, cell: (run) => <Ago at={run.created_at} fz="inherit" /> },
  {
    key: 'runtime',
    label: 'Runtime',
    width: 92,
    number: true,
    cell: (run) => <Runtime seconds={run.runtime_s} asOf={run.read_at} running={!isEnded(run.status) && run.started_at !== null} />,
  },
  { key: 'events', label: 'Events', width: 76, number: true, wide: true, cell: (run) => compact(run.events) },
  { key: 'tries', label: 'Tries', width: 60, number: true, wide: true, cell: (run) => run.attempt },
  { key: 'tokens', label: 'Tokens', width: 80, number: true, wide: true, cell: tokens },
  { key: 'cost', label: 'Cost', width: 80, number: true, wide: true, cell: (run) => (run.usage?.cost == null ? '' : cost(run.usage.cost)) },
  { key: 'id', label: 'Id', width: 92, wide: true, cell: (run) => run.fid.slice(-8) },
]

/** What is shown when nobody has chosen. */
export const STANDARD_COLUMNS: readonly string[] = ['user', 'started', 'runtime', 'events']

function tokens({ usage }: RunRow): string {
  return usage === null ? '' : compact(usage.input_uncached + usage.cache_read + usage.cache_write + usage.output + usage.reasoning)
}
