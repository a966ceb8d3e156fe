import type { DeadEvent } from '@koco/core/api'
import { Anchor, Button, Card, Code, Group, Modal, Stack, Text, Title } from '@mantine/core'
import { useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { deadQuery, discardDead, retryDead } from '../api/operations.ts'
import { notifyDone, notifyFailure } from '../app/notify.ts'
import { Failure } from '../app/states.tsx'
import { Ago } from '../show/time.tsx'

/** Entries of streams that could not be stored: look, write again, throw away. */
export function DeadEvents() {
  const { data, error, hasNextPage, fetchNextPage } = useInfiniteQuery(deadQuery)
  const [looked, look] = useState<DeadEvent | null>(null)
  const events = data?.pages.flatMap((page) => page.items) ?? []
  return (
    <Card withBorder padding="lg">
      <Title order={2} mb={4}>
        Set aside
      </Title>
      <Text size="sm" c="dimmed" mb="sm">
        {data && events.length === 0
          ? 'Nothing: every event that was emitted could be stored.'
          : 'These entries could not be stored. Nothing else waits for them.'}
      </Text>
      {error && <Failure error={error} />}
      <Stack gap="xs">
        {events.map((event) => (
          <Group key={event.id} justify="space-between" gap="xs">
            <div style={{ minWidth: 0, flex: '1 1 260px' }}>
              <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
                {event.reason}
              </Text>
              <Text size="xs" c="dimmed">
                <Anchor component={Link} to="/runs/$fid" params={{ fid: event.fid } as never} size="xs" underline="always">
                  {event.fid.slice(-8)}
                </Anchor>{' '}
                at {event.position}, <Ago at={event.at} />
              </Text>
            </div>
            <Button size="xs" variant="default" onClick={() => look(event)}>
              Look
            </Button>
          </Group>
        ))}
      </Stack>
      {hasNextPage && (
        <Button mt="sm" size="xs" variant="default" onClick={() => void fetchNextPage()}>
          More
        </Button>
      )}
      {looked && <DeadEventDialog event={looked} close={() => look(null)} />}
    </Card>
  )
}

function DeadEventDialog({ event, close }: { readonly event: DeadEvent; readonly close: () => void }) {
  const client = useQueryClient()
  const settled = () => void client.invalidateQueries({ queryKey: deadQuery.queryKey })
  const retry = useMutation({
    mutationFn: () => retryDead(event.id),
    onSuccess: () => {
      notifyDone('It is stored.')
      close()
    },
    onError: (error) => notifyFailure('It could not be stored', error),
    onSettled: settled,
  })
  const discard = useMutation({
    mutationFn: () => discardDead(event.id),
    onSuccess: () => {
      notifyDone('Discarded.')
      close()
    },
    onError: (error) => notifyFailure('Could not discard it', error),
    onSettled: settled,
  })
  return (
    <Modal opened onClose={close} title={`Entry at ${event.position}`} size="lg" centered>
      <Text size="sm" mb="xs">
        {event.reason}
      </Text>
      <Code block mah={320} style={{ overflow: 'auto', overflowWrap: 'anywhere', whiteSpace: 'pre-wrap' }}>
        {event.body.slice(0, 20_000)}
      </Code>
      <Group justify="flex-end" mt="md">
        <Button color="red" variant="light" loading={discard.isPending} onClick={() => discard.mutate()}>
          Discard for good
        </Button>
        <Button data-confirm loading={retry.isPending} onClick={() => retry.mutate()}>
          Store it now
        </Button>
      </Group>
    </Modal>
  )
}
