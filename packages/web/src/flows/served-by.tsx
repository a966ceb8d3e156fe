import type { Flow } from '@koco/core/api'
import { Badge, Card, Group, Stack, Text, Title } from '@mantine/core'
import { Ago } from '../show/time.tsx'

const SHOWN = 8

/** Which processes serve a flow, the live ones first. */
export function ServedBy({ flow }: { readonly flow: Flow }) {
  const workers = flow.workers.toSorted((a, b) => Number(b.live) - Number(a.live) || b.seen_at - a.seen_at)
  return (
    <Card withBorder padding="lg">
      <Title order={2} mb="sm">
        Served by
      </Title>
      {!flow.live && (
        <Text size="sm" c="dimmed" mb={workers.length > 0 ? 'xs' : 0}>
          No process serves it now: a run would wait. Start one with <code>koco start</code> or <code>koco temporal-worker</code>.
        </Text>
      )}
      <Stack gap={6}>
        {workers.slice(0, SHOWN).map((worker) => (
          <Group key={worker.id} justify="space-between" wrap="nowrap" gap="xs">
            <Text size="sm" truncate>
              {worker.host} · {worker.pid}
            </Text>
            <Badge color={worker.live ? 'teal' : 'gray'} variant="dot" tt="none">
              {worker.live ? 'live' : <Ago at={worker.seen_at} />}
            </Badge>
          </Group>
        ))}
        {workers.length > SHOWN && (
          <Text size="xs" c="dimmed">
            and {workers.length - SHOWN} more
          </Text>
        )}
      </Stack>
    </Card>
  )
}
