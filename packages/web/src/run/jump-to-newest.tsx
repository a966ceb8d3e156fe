import { ActionIcon, Button, Tooltip } from '@mantine/core'
import { useState } from 'react'
import { Icon } from '../app/icons.tsx'
import { count } from '../show/format.ts'
import classes from './timeline.module.css'

/** The way back to the end of a list that a person scrolled away from; counts what has come since. */
export function JumpToNewest({ rows, jump }: { readonly rows: number; readonly jump: () => void }) {
  const [atStop] = useState(rows)
  const missed = rows - atStop
  if (missed > 0) {
    return (
      <Button className={classes['jump'] ?? ''} size="xs" radius="xl" leftSection={<Icon name="down" size={14} />} onClick={jump}>
        {count(missed)} new
      </Button>
    )
  }
  return (
    <Tooltip label="Jump to the newest event (F)">
      <ActionIcon className={classes['jump'] ?? ''} radius="xl" size="lg" onClick={jump} aria-label="Jump to the newest event">
        <Icon name="down" size={16} />
      </ActionIcon>
    </Tooltip>
  )
}
