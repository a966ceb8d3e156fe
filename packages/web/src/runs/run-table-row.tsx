import { isEnded } from '@koco/core'
import { Link } from '@tanstack/react-router'
import { memo } from 'react'
import type { RunRow } from '../api/shapes.ts'
import { compact } from '../show/format.ts'
import { StatusBadge } from '../show/status.tsx'
import { Ago, Runtime } from '../show/time.tsx'
import classes from './runs-page.module.css'

/** A run in the list; the whole row is a link. */
export const RunTableRow = memo(function RunTableRow({ run, index, top }: { readonly run: RunRow; readonly index: number; readonly top: number }) {
  const about = secondLine(run)
  return (
    <div role="listitem" className={classes['slot']} style={{ transform: `translateY(${top}px)` }}>
      <Link to="/runs/$fid" params={{ fid: run.fid }} className={classes['row']} data-index={index}>
        <span className={classes['state']}>
          <StatusBadge status={run.status} />
        </span>
        <span className={classes['what']}>
          <span className={classes['title']} style={{ display: 'block' }}>
            {run.flow} {run.about !== '' && <span className={classes['about']}>{run.about}</span>}
          </span>
          <span className={classes['sub']} style={{ display: 'block' }} data-error={(run.error !== null && run.status === 'error') || undefined}>
            {about}
          </span>
        </span>
        <span className={`${classes['cell']} ${classes['wide']}`}>{run.user}</span>
        <span className={`${classes['cell']} ${classes['when']}`}>
          <Ago at={run.created_at} fz="inherit" />
        </span>
        <span className={`${classes['cell']} ${classes['number']} ${classes['middle']}`}>
          <Runtime seconds={run.runtime_s} asOf={run.read_at} running={!isEnded(run.status) && run.started_at !== null} />
        </span>
        <span className={`${classes['cell']} ${classes['number']} ${classes['wide']}`}>{compact(run.events)}</span>
      </Link>
    </div>
  )
})

function secondLine(run: RunRow): string {
  if (run.status === 'error' && run.error) return `${run.error.name}: ${run.error.message}`
  if (run.locks > 0) return `${run.locks === 1 ? 'A question waits' : `${run.locks} questions wait`} for an answer`
  const { progress } = run
  const at = `${run.summary === '' ? '' : `${run.summary} · `}${run.fid.slice(-8)}`
  if (!isEnded(run.status) && progress)
    return `${progress.text ?? at}${progress.total === null ? ` (${progress.done})` : ` (${progress.done} of ${progress.total})`}`
  return at
}
