import { Badge, type MantineColor } from '@mantine/core'
import type { RunStatus } from '@koco/core'
import classes from './status.module.css'

/** The colour and the words of each status; colour is never the only sign. */
export const STATUS_LOOK: Readonly<Record<RunStatus, { readonly color: MantineColor; readonly label: string }>> = {
  starting: { color: 'gray', label: 'Starting' },
  running: { color: 'blue', label: 'Running' },
  awaiting: { color: 'orange', label: 'Awaiting' },
  paused: { color: 'grape', label: 'Paused' },
  finished: { color: 'teal', label: 'Finished' },
  error: { color: 'red', label: 'Failed' },
  cancelled: { color: 'gray', label: 'Cancelled' },
  timed_out: { color: 'red', label: 'Timed out' },
}

/** A run's status as a badge; one at work has a pulsing dot. */
export function StatusBadge({ status, size = 'md' }: { readonly status: RunStatus; readonly size?: 'sm' | 'md' | 'lg' }) {
  const look = STATUS_LOOK[status]
  return (
    <Badge
      variant="light"
      color={look.color}
      size={size}
      radius="sm"
      className={classes['badge']}
      leftSection={<span className={classes['dot']} data-busy={status === 'running' || status === 'starting' || undefined} />}
    >
      {look.label}
    </Badge>
  )
}
