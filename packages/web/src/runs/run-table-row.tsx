import { isEnded } from '@koco/core'
import { Checkbox } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { memo } from 'react'
import type { RunRow } from '../api/shapes.ts'
import { restingWords, runName } from '../show/format.ts'
import { StatusBadge } from '../show/status.tsx'
import type { Column } from './columns.tsx'
import classes from './runs-page.module.css'

type Props = {
  readonly run: RunRow
  readonly index: number
  readonly top: number
  readonly columns: readonly Column[]
  /** Whether the run is chosen; null while nothing is being chosen. */
  readonly chosen: boolean | null
  readonly choose: (fid: string) => void
}

/** A run in the list; the whole row is a link, beside a box while runs are being chosen. */
export const RunTableRow = memo(function RunTableRow({ run, index, top, columns, chosen, choose }: Props) {
  return (
    <div role="listitem" className={classes['slot']} style={{ transform: `translateY(${top}px)` }} data-chosen={chosen || undefined}>
      {chosen !== null && (
        <Checkbox className={classes['box'] ?? ''} size="sm" checked={chosen} onChange={() => choose(run.fid)} aria-label={`Choose ${runName(run)}`} />
      )}
      <Link to="/runs/$fid" params={{ fid: run.fid }} className={classes['row']} data-index={index}>
        <span className={classes['state']}>
          <StatusBadge status={run.status} />
        </span>
        <span className={classes['what']}>
          <span className={classes['title']} style={{ display: 'block' }}>
            <span className={classes['name']}>{run.flow}</span> {run.about !== '' && <span className={classes['about']}>{run.about}</span>}
          </span>
          <span
            className={classes['sub']}
            style={{ display: 'block' }}
            data-error={(run.error !== null && run.status === 'error') || run.deaths > 0 || undefined}
          >
            {secondLine(run)}
          </span>
        </span>
        {columns.map((column) => (
          <span key={column.key} className={cellClass(column)}>
            {column.cell(run)}
          </span>
        ))}
      </Link>
    </div>
  )
})

/** The classes of a column's cells. */
export function cellClass({ key, number, wide }: Column): string {
  return [classes['cell'], number && classes['number'], wide && classes['wide'], key === 'started' && classes['when'], key === 'runtime' && classes['middle']]
    .filter(Boolean)
    .join(' ')
}

function secondLine(run: RunRow): string {
  if (run.status === 'error' && run.error) return `${run.error.name}: ${run.error.message}`
  const resting = restingWords(run)
  if (resting !== undefined) return resting
  if (run.open_locks > 0) return `${run.open_locks === 1 ? 'A question waits' : `${run.open_locks} questions wait`} for an answer`
  const { progress } = run
  const at = `${run.summary === '' ? '' : `${run.summary} · `}${run.fid.slice(-8)}`
  if (!isEnded(run.status) && progress)
    return `${progress.text ?? at}${progress.total === null ? ` (${progress.done})` : ` (${progress.done} of ${progress.total})`}`
  return at
}
