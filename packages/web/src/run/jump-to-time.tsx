import type { TimelineEvent } from '@koco/core/api'
import { ActionIcon, Popover, Text, TextInput, Tooltip } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useState } from 'react'
import { Icon } from '../app/icons.tsx'
import { useTimeStyle } from '../show/time-style.ts'
import { eventAt, momentOf } from './when.ts'

/** Leads to the first event at a time that a person types: by the clock, from the beginning, or back from the end. */
export function JumpToTime({ events, show }: { readonly events: readonly TimelineEvent[]; readonly show: (position: string) => void }) {
  const [open, { toggle, close }] = useDisclosure(false)
  const [text, setText] = useState('')
  const [wrong, setWrong] = useState(false)
  const utc = useTimeStyle() === 'utc'
  const jump = () => {
    const at = momentOf(text, events[0]?.ts ?? 0, events.at(-1)?.ts ?? 0, utc)
    const event = at === undefined ? undefined : eventAt(events, at)
    setWrong(!event)
    if (!event) return
    close()
    show(event.position)
  }
  return (
    <Popover opened={open} onChange={(next) => !next && close()} position="bottom-end" withArrow trapFocus shadow="md">
      <Popover.Target>
        <Tooltip label="Jump to a time">
          <ActionIcon variant="default" size={30} aria-label="Jump to a time" onClick={toggle} disabled={events.length === 0}>
            <Icon name="clock" size={15} />
          </ActionIcon>
        </Tooltip>
      </Popover.Target>
      <Popover.Dropdown>
        <form
          onSubmit={(event) => {
            event.preventDefault()
            jump()
          }}
        >
          <TextInput
            size="xs"
            w={210}
            label="Time"
            placeholder="14:03:21, +2m or -30s"
            value={text}
            onChange={(event) => {
              setText(event.target.value)
              setWrong(false)
            }}
            error={wrong && 'Write 14:03:21, +2m (after the start) or -30s (before the end)'}
          />
          <Text size="xs" c="dimmed" mt={6}>
            Enter leads to the first event then.
          </Text>
        </form>
      </Popover.Dropdown>
    </Popover>
  )
}
