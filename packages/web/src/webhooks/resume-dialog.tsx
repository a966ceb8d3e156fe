import type { Webhook } from '@koco/core/api'
import { Button, Group, Modal, Text } from '@mantine/core'
import { Ago } from '../show/time.tsx'

type ResumeProps = { readonly webhook: Webhook; readonly resume: (missed: boolean) => void; readonly close: () => void }

/** Asks whether a webhook that goes on is told of what it missed. */
export function ResumeDialog({ webhook: { url, paused_at: since }, resume, close }: ResumeProps) {
  return (
    <Modal opened onClose={close} title="Resume the webhook" centered>
      <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
        {url} was told nothing
        {since !== null && (
          <>
            {' '}
            since <Ago at={since} span fz="inherit" />
          </>
        )}
        . What it missed of what it asks for (the last end of each run, open and expired questions, dead events) can be delivered now, with what had been given
        up before: at most 30 days of it.
      </Text>
      <Group justify="flex-end" mt="md">
        <Button variant="default" onClick={() => resume(false)}>
          Only from now on
        </Button>
        <Button onClick={() => resume(true)} data-autofocus>
          Deliver what it missed
        </Button>
      </Group>
    </Modal>
  )
}
