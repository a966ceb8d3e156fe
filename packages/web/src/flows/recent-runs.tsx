import type { Sums } from '@koco/core/api'
import { Anchor, Card, Group, Skeleton, Stack, Text, Title } from '@mantine/core'
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { insightsQuery } from '../api/insights.ts'
import { runsQuery } from '../api/runs.ts'
import type { RunRow } from '../api/shapes.ts'
import { Failure } from '../app/states.tsx'
import { count, duration } from '../show/format.ts'
import { StatusBadge } from '../show/status.tsx'
import { Ago } from '../show/time.tsx'

const SHOWN = 6
const DAYS = 30

/** The last runs of a flow and how long they usually take. */
export function RecentRuns({ flow }: { readonly flow: string }) {
  const { data, error, isPending } = useInfiniteQuery({ ...runsQuery({ flow }), refetchInterval: 5000 })
  const runs = data?.pages[0]?.items ?? []
  const { data: lately } = useQuery(insightsQuery({ days: DAYS, flow }))
  return (
    <Card withBorder padding="lg">
      <Group justify="space-between" mb="sm">
        <Title order={2}>Recent runs</Title>
        {runs.length > 0 && (
          <Anchor component={Link} to="/runs" search={{ flow } as never} size="sm">
            All runs
          </Anchor>
        )}
      </Group>
      {isPending && <Skeleton h={80} />}
      {error && <Failure error={error} />}
      {data && runs.length === 0 && <Text c="dimmed">None yet. The form starts the first one.</Text>}
      <Stack gap={6}>
        {runs.slice(0, SHOWN).map((run) => (
          <RecentRun key={run.fid} run={run} />
        ))}
      </Stack>
      {lately && lately.totals.p50_s !== null && lately.totals.p95_s !== null && (
        <Usual sums={lately.totals} median={lately.totals.p50_s} most={lately.totals.p95_s} flow={flow} />
      )}
    </Card>
  )
}

function RecentRun({ run }: { readonly run: RunRow }) {
  return (
    <Group justify="space-between" wrap="nowrap" gap="xs">
      <Group gap="sm" wrap="nowrap" miw={0}>
        <StatusBadge status={run.status} size="sm" />
        <Anchor component={Link} to="/runs/$fid" params={{ fid: run.fid } as never} size="sm" truncate>
          {run.about || run.fid.slice(-8)}
        </Anchor>
      </Group>
      <Text size="xs" c="dimmed" style={{ whiteSpace: 'nowrap' }}>
        {run.runtime_s === null ? '' : `${duration(run.runtime_s)} · `}
        <Ago at={run.created_at} />
      </Text>
    </Group>
  )
}

function Usual({ sums, median, most, flow }: { readonly sums: Sums; readonly median: number; readonly most: number; readonly flow: string }) {
  return (
    <Text size="xs" c="dimmed" mt="sm">
      Half of its runs take no longer than {duration(median)}, 95 % no longer than {duration(most)}; {count(sums.failed)} of {count(sums.started)} failed.{' '}
      <Anchor component={Link} to="/insights" search={{ flow } as never} inherit underline="always">
        Last {DAYS} days
      </Anchor>
    </Text>
  )
}
