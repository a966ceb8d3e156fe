import { Anchor, Card, Group, Stack, Table, Text, Title } from '@mantine/core'
import { isJsonObject, type Json } from '@koco/core'
import type { TimelineEvent } from '@koco/core/api'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { childrenQuery } from '../api/runs.ts'
import type { WholeRun } from '../api/shapes.ts'
import { Copy } from '../show/copy.tsx'
import { count, fullMoment, runName } from '../show/format.ts'
import { StatusBadge } from '../show/status.tsx'
import type { RunFeed } from './feed.ts'
import { isImported } from './use-control.ts'

const LAUNCHERS: Readonly<Record<string, string>> = {
  direct: 'this koco, in its own process',
  temporal: 'Temporal',
  import: 'nobody: it was read from a file',
}

/** Where a run comes from and who has worked on it: ids, times, tries, the runs that it started. */
export function About({ run, feed }: { readonly run: WholeRun; readonly feed: RunFeed }) {
  const { events } = feed.log
  const tries = events.filter((event) => event.kind === 'attempt')
  const from = isImported(run) ? importedFrom(events) : undefined
  return (
    <Stack>
      <Card withBorder padding="lg">
        <Table withRowBorders={false} verticalSpacing={4} layout="fixed">
          <Table.Tbody>
            <Line name="Id">
              <Group gap={4} h={20}>
                {run.fid} <Copy value={run.fid} what="id" />
              </Group>
            </Line>
            <Line name="Flow">
              {run.flow}
              {run.version !== null && `, version ${run.version}`}
            </Line>
            <Line name="By">{run.user}</Line>
            {run.tags.length > 0 && <Line name="Tags">{run.tags.join(', ')}</Line>}
            <Line name="Driven by">{LAUNCHERS[run.launcher] ?? run.launcher}</Line>
            {run.temporal_url !== null && (
              <Line name="In Temporal">
                <Anchor href={run.temporal_url} target="_blank" rel="noopener noreferrer" inherit>
                  workflow of this run
                </Anchor>
              </Line>
            )}
            {from && <Line name="Imported from">{from}</Line>}
            <Moment name="Created" at={run.created_at} />
            <Moment name="Started" at={run.started_at} />
            <Moment name="Ended" at={run.finished_at} />
            <Line name="Events">
              {count(run.events)}, up to {run.last_position}
            </Line>
          </Table.Tbody>
        </Table>
      </Card>
      {tries.length > 0 && (
        <Card withBorder padding="lg">
          <Title order={2} mb="xs">
            Tries
          </Title>
          {tries.map((event) => (
            <Text key={event.position} size="sm">
              {tryLine(event)}
            </Text>
          ))}
        </Card>
      )}
      {run.children > 0 && <Children run={run} />}
    </Stack>
  )
}

function Line({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return (
    <Table.Tr>
      <Table.Td w={{ base: 84, sm: 120 }} c="dimmed" pl={0} style={{ verticalAlign: 'top' }}>
        {name}
      </Table.Td>
      <Table.Td style={{ overflowWrap: 'anywhere' }}>{children}</Table.Td>
    </Table.Tr>
  )
}

function Moment({ name, at }: { readonly name: string; readonly at: number | null }) {
  if (at === null) return null
  const [local = '', utc = ''] = fullMoment(at).split('\n')
  return (
    <Line name={name}>
      {local}{' '}
      <Text span size="xs" c="dimmed">
        {utc}
      </Text>
    </Line>
  )
}

function Children({ run }: { readonly run: WholeRun }) {
  const { data } = useQuery(childrenQuery(run.fid))
  return (
    <Card withBorder padding="lg">
      <Title order={2} mb="xs">
        Runs that it started ({count(run.children)})
      </Title>
      <Stack gap={6}>
        {(data?.items ?? []).map((child) => (
          <Text key={child.fid} size="sm" component="div">
            <StatusBadge status={child.status} size="sm" />{' '}
            <Anchor component={Link} to="/runs/$fid" params={{ fid: child.fid } as never} inherit>
              {runName(child)}
            </Anchor>
          </Text>
        ))}
      </Stack>
      {data?.next != null && (
        <Text size="xs" c="dimmed" mt="xs">
          The newest {count(data.items.length)} are shown; “koco runs list --parent {run.fid}” has all.
        </Text>
      )}
    </Card>
  )
}

function tryLine({ data, ts }: TimelineEvent): string {
  if (!isJsonObject(data)) return ''
  const { attempt, reason, owner } = data
  return `${text(attempt)}: ${text(reason)}, by ${text(owner)}, ${fullMoment(ts).split('\n')[0] ?? ''}`
}

function importedFrom(events: readonly TimelineEvent[]): string | undefined {
  const meta = events.find((event) => event.kind === 'meta')?.data
  const from = meta !== undefined && isJsonObject(meta) ? meta['imported_from'] : undefined
  return isJsonObject(from ?? null)
    ? `run ${text((from as { readonly [key: string]: Json })['fid'])} of ${text((from as { readonly [key: string]: Json })['user'])}`
    : undefined
}

function text(value: Json | undefined): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : ''
}
