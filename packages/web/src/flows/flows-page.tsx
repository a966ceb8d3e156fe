import type { Flow } from '@koco/core/api'
import { SimpleGrid, TextInput } from '@mantine/core'
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useMemo, useRef } from 'react'
import { flowsQuery } from '../api/flows.ts'
import { insightsQuery } from '../api/insights.ts'
import { runsQuery } from '../api/runs.ts'
import type { RunRow } from '../api/shapes.ts'
import { useSlashFocus } from '../app/hot-keys.ts'
import { Icon } from '../app/icons.tsx'
import { Page } from '../app/page.tsx'
import { Empty, Failure, Loading } from '../app/states.tsx'
import { FlowCard } from './flow-card.tsx'

const MARKS = 12
const NONE: readonly RunRow[] = []

/** The catalogue: every flow that was ever served, searchable. */
export function FlowsPage() {
  const { q = '' } = useSearch({ from: '/signed-in/flows' })
  const navigate = useNavigate({ from: '/flows' })
  const { data: flows, error, isPending, refetch } = useQuery(flowsQuery)
  const search = useRef<HTMLInputElement>(null)
  useSlashFocus(search)
  const last = useLastRuns()
  const usual = useUsualDurations()
  const found = (flows ?? []).filter((flow) => matches(flow, q))
  const field = (
    <TextInput
      ref={search}
      value={q}
      onChange={(event) => void navigate({ search: event.target.value === '' ? {} : { q: event.target.value }, replace: true })}
      placeholder="Search name, summary, tag"
      aria-label="Search flows"
      leftSection={<Icon name="search" size={16} />}
      w={{ base: '100%', xs: 280 }}
    />
  )
  return (
    <Page title="Flows" about="What can be run here." actions={flows && flows.length > 0 ? field : undefined}>
      {isPending && <Loading what="flows" />}
      {error && <Failure error={error} retry={() => void refetch()} />}
      {flows?.length === 0 && (
        <Empty title="No flows yet" command="npx koco init">
          A flow is a TypeScript function with a name and an input schema. The command writes a first one; <code>koco start --flows ./flows.ts</code> serves it.
        </Empty>
      )}
      {flows && flows.length > 0 && found.length === 0 && (
        <Empty title={`No flow matches “${q}”`}>Every word must be in the name, the summary, the author or a tag.</Empty>
      )}
      <SimpleGrid cols={{ base: 1, sm: 2, lg: 3 }} spacing="md">
        {found.map((flow) => (
          <FlowCard key={flow.name} flow={flow} last={last.get(flow.name) ?? NONE} usual={usual.get(flow.name) ?? null} />
        ))}
      </SimpleGrid>
    </Page>
  )
}

/** The last runs of each flow, of the newest page of runs: enough to see how things go. */
function useLastRuns(): ReadonlyMap<string, readonly RunRow[]> {
  const { data } = useInfiniteQuery({ ...runsQuery({}), refetchInterval: 10_000 })
  const first = data?.pages[0]?.items
  return useMemo(() => {
    const grouped = Map.groupBy(first ?? [], (run) => run.flow)
    return new Map([...grouped].map(([flow, runs]) => [flow, runs.slice(0, MARKS)]))
  }, [first])
}

/** How long a run of each flow usually takes, in seconds: the median of the last 30 days. */
function useUsualDurations(): ReadonlyMap<string, number | null> {
  const { data } = useQuery(insightsQuery({ days: 30 }))
  return useMemo(() => new Map(data?.flows.map(({ flow, p50_s: median }) => [flow, median])), [data])
}

function matches(flow: Flow, q: string): boolean {
  const text = [flow.name, flow.summary, flow.description, flow.author ?? '', ...flow.tags].join('\n').toLowerCase()
  return q
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word))
}
