import { Anchor, Badge, Card, Group, SimpleGrid, Stack, Table, Text, Title } from '@mantine/core'
import { isEnded, RUN_STATUSES } from '@koco/core'
import type { Operations } from '@koco/core/api'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { operationsQuery } from '../api/operations.ts'
import { OperatorsOnly } from '../app/operators-only.tsx'
import { Page } from '../app/page.tsx'
import { Failure, Loading } from '../app/states.tsx'
import { count, duration } from '../show/format.ts'
import { STATUS_LOOK } from '../show/status.tsx'
import { Ago } from '../show/time.tsx'
import { RowTable } from '../show/wide-table.tsx'
import { ContentCard } from './content-card.tsx'
import { DeadEvents } from './dead-events.tsx'
import { OperationsTabs } from './operations-tabs.tsx'

/** How the installation stands: stores and transport, who carries events, workers, what was set aside. */
export function OperationsPage() {
  return (
    <OperatorsOnly title="Operations">
      <OperationsView />
    </OperatorsOnly>
  )
}

function OperationsView() {
  const { data, error, refetch } = useQuery(operationsQuery)
  return (
    <Page title="Operations" about={data && `koco ${data.version}`}>
      <OperationsTabs />
      {error && <Failure error={error} retry={() => void refetch()} />}
      {!data && !error && <Loading what="operations" />}
      {data && (
        <Stack>
          <SimpleGrid cols={{ base: 1, sm: 2, xl: 4 }} spacing="md">
            <HealthCard checks={data.checks} />
            <RunsCard runs={data.runs} />
            <LagCard consumers={data.consumers} />
            <ContentCard />
          </SimpleGrid>
          <Consumers consumers={data.consumers} />
          <Workers workers={data.workers} />
          <DeadEvents />
        </Stack>
      )}
    </Page>
  )
}

const NAMES: Readonly<Record<string, string>> = { store: 'Execution store', admin: 'Admin store', transport: 'Event transport', panel: 'Panel' }

function HealthCard({ checks }: { readonly checks: Operations['checks'] }) {
  return (
    <Card withBorder padding="lg">
      <Title order={2} mb="sm">
        Health
      </Title>
      <Stack gap={6}>
        {Object.entries(checks).map(([name, said]) => (
          <Group key={name} justify="space-between" wrap="nowrap">
            <Text size="sm">{NAMES[name] ?? name}</Text>
            <Badge color={said === 'ok' ? 'teal' : 'red'} variant="dot" tt="none">
              {said === 'ok' ? 'takes writes' : said.replaceAll('_', ' ')}
            </Badge>
          </Group>
        ))}
      </Stack>
    </Card>
  )
}

function RunsCard({ runs }: { readonly runs: Operations['runs'] }) {
  const shown = RUN_STATUSES.filter((status) => !isEnded(status) || (runs[status] ?? 0) > 0)
  return (
    <Card withBorder padding="lg">
      <Title order={2} mb="sm">
        Runs
      </Title>
      <Stack gap={6}>
        {shown.map((status) => (
          <Group key={status} justify="space-between" wrap="nowrap">
            <Anchor component={Link} to="/runs" search={{ status } as never} size="sm">
              {STATUS_LOOK[status].label}
            </Anchor>
            <Text size="sm" ff="monospace">
              {count(runs[status] ?? 0)}
            </Text>
          </Group>
        ))}
      </Stack>
    </Card>
  )
}

function LagCard({ consumers }: { readonly consumers: Operations['consumers'] }) {
  const lag = consumers?.reduce((sum, one) => sum + one.lag, 0)
  const oldest = Math.max(0, ...(consumers ?? []).map((one) => one.oldest_pending_s ?? 0))
  return (
    <Card withBorder padding="lg">
      <Title order={2} mb="sm">
        Events on their way
      </Title>
      <Text fz={28} fw={650} lh={1.2}>
        {lag === undefined ? 'unknown' : count(lag)}
      </Text>
      <Text size="sm" c="dimmed">
        {lag === undefined && 'The transport does not answer.'}
        {lag === 0 && 'Everything that was emitted is stored.'}
        {lag !== undefined && lag > 0 && `wait to be stored${oldest > 0 ? `, the oldest for ${duration(oldest)}` : ''}.`}
      </Text>
    </Card>
  )
}

function Consumers({ consumers }: { readonly consumers: Operations['consumers'] }) {
  return (
    <Card withBorder padding="lg">
      <Title order={2} mb="sm">
        Spoolers
      </Title>
      {consumers !== null && consumers.length === 0 && (
        <Text size="sm" c="dimmed">
          No stream is held now. A spooler shows here while it carries events.
        </Text>
      )}
      {consumers !== null && consumers.length > 0 && (
        <RowTable
          label="Spoolers"
          minWidth={420}
          heads={['Name', { name: 'Streams', right: true }, { name: 'Lag', right: true }, { name: 'Oldest', right: true }]}
        >
          {consumers.map((one) => (
            <Table.Tr key={one.name}>
              <Table.Td>{one.name === '' ? 'held by nobody' : one.name}</Table.Td>
              <Table.Td ta="right">{count(one.streams)}</Table.Td>
              <Table.Td ta="right">{count(one.lag)}</Table.Td>
              <Table.Td ta="right">{one.oldest_pending_s === null ? '' : duration(one.oldest_pending_s)}</Table.Td>
            </Table.Tr>
          ))}
        </RowTable>
      )}
    </Card>
  )
}

function Workers({ workers }: { readonly workers: Operations['workers'] }) {
  return (
    <Card withBorder padding="lg">
      <Title order={2} mb="sm">
        Workers
      </Title>
      {workers.length === 0 && (
        <Text size="sm" c="dimmed">
          Nobody serves flows now.
        </Text>
      )}
      {workers.length > 0 && (
        <RowTable label="Workers" minWidth={480} heads={['Worker', 'Launcher', { name: 'Flows', right: true }, 'Heard of']}>
          {workers.map((one) => (
            <Table.Tr key={one.id}>
              <Table.Td>{`${one.host} · ${one.pid}`}</Table.Td>
              <Table.Td>{one.launcher}</Table.Td>
              <Table.Td ta="right">{count(one.flows)}</Table.Td>
              <Table.Td>
                <Badge color={one.live ? 'teal' : 'gray'} variant="dot" tt="none">
                  {one.live ? 'live' : <Ago at={one.seen_at} />}
                </Badge>
              </Table.Td>
            </Table.Tr>
          ))}
        </RowTable>
      )}
    </Card>
  )
}
