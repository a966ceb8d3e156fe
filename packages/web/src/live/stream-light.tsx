import { Badge, Tooltip, type MantineColor } from '@mantine/core'
import type { StreamPhase } from './stream.ts'

type Look = { readonly color: MantineColor; readonly label: string; readonly says: string }

const LOOKS: Readonly<Record<StreamPhase | 'loading', Look>> = {
  loading: { color: 'gray', label: 'Loading', says: 'Reading what is stored.' },
  connecting: { color: 'gray', label: 'Connecting', says: 'Opening the live stream.' },
  live: { color: 'teal', label: 'Live', says: 'Connected; what happens is shown as it happens.' },
  delayed: { color: 'yellow', label: 'Delayed', says: 'Nothing was heard from the server for a while; what is shown may be old.' },
  reconnecting: { color: 'orange', label: 'Reconnecting', says: 'The connection was cut. It goes on where it stopped; nothing will be missing.' },
  hidden: { color: 'gray', label: 'In background', says: 'Paused while this tab is in the background.' },
  ended: { color: 'gray', label: 'Complete', says: 'The run is over; every event of it is here.' },
  failed: { color: 'red', label: 'Not live', says: 'The server refused the live stream.' },
}

type Props = {
  readonly phase: StreamPhase | 'loading'
  readonly what?: string
  /** The server has later events than were received. */
  readonly behind?: boolean
}

const BEHIND: Look = { color: 'yellow', label: 'Behind', says: 'The server has later events than are shown here; they are on their way.' }

/** How the live stream stands, in one word and, on hover or focus, in a sentence. */
export function StreamLight({ phase, what, behind = false }: Props) {
  const look = behind && phase === 'live' ? BEHIND : LOOKS[phase]
  return (
    <Tooltip
      label={phase === 'live' && !behind && what !== undefined ? `${look.says} ${what}` : look.says}
      multiline
      maw={280}
      events={{ hover: true, focus: true, touch: true }}
    >
      <Badge variant="dot" color={look.color} tt="none" fw={500} style={{ flexShrink: 0 }} tabIndex={0} aria-live="polite" data-stream={phase}>
        {look.label}
      </Badge>
    </Tooltip>
  )
}
