import type { Insights } from '@koco/core/api'
import { Card, Group, SegmentedControl, Select, SimpleGrid, Skeleton, Stack, Text } from '@mantine/core'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { lazy, Suspense } from 'react'
import { insightsQuery, tokensOf } from '../api/insights.ts'
import { flowsQuery } from '../api/flows.ts'
import { meQuery } from '../api/session.ts'
import { usersQuery } from '../api/users.ts'
import { Page } from '../app/page.tsx'
import { Empty, Failure, Loading } from '../app/states.tsx'
import { compact, cost, count, duration } from '../show/format.ts'
import { FlowTable, ModelTable, UserTable } from './sums-tables.tsx'
import { DAYS_STANDARD, RANGES, type InsightsSearch } from './search.ts'

// The library of the charts is larger than all the rest of the page: the figures do not wait for it.
const DayCharts = lazy(() => import('./day-charts.tsx').then((module) => ({ default: module.DayCharts })))

/** Runs, failures, durations, tokens and cost, by day, flow, model and user. */
export function InsightsPage() {
  const { days = DAYS_STANDARD, flow, user } = useSearch({ from: '/signed-in/insights' })
  const { data, error, refetch, isPlaceholderData } = useQuery({ ...insightsQuery({ days, flow, user }), placeholderData: keepPreviousData })
  return (
    <Page title="Insights" about="What runs and models came to. Days are those of UTC; imported runs do not count." actions={<Filters />}>
      {error && <Failure error={error} retry={() => void refetch()} />}
      {!data && !error && <Loading what="insights" />}
      {data && (
        <Stack style={isPlaceholderData ? { opacity: 0.6 } : undefined} aria-busy={isPlaceholderData}>
          <Tiles insights={data} />
          {data.totals.started + data.totals.calls === 0 ? (
            <Empty title="Nothing ran in these days">Runs and model calls are counted as their events are stored.</Empty>
          ) : (
            <Figures insights={data} />
          )}
        </Stack>
      )}
    </Page>
  )
}

function Figures({ insights }: { readonly insights: Insights }) {
  const { data: me } = useQuery(meQuery)
  return (
    <>
      <Suspense fallback={<Skeleton h={320} />}>
        <DayCharts days={insights.days} />
      </Suspense>
      <FlowTable flows={insights.flows} />
      {insights.models.length > 0 && <ModelTable models={insights.models} />}
      {me?.user.role === 'operator' && <UserTable users={insights.users} />}
    </>
  )
}

function Filters() {
  const search = useSearch({ from: '/signed-in/insights' })
  const navigate = useNavigate({ from: '/insights' })
  const { data: me } = useQuery(meQuery)
  const isOperator = me?.user.role === 'operator'
  const { data: flows = [] } = useQuery(flowsQuery)
  const { data: users = [] } = useQuery({ ...usersQuery, enabled: isOperator })
  const change = (part: { [K in keyof InsightsSearch]: InsightsSearch[K] | undefined }) => {
    const next = Object.fromEntries(Object.entries({ ...search, ...part }).filter(([, value]) => value !== undefined))
    void navigate({ search: next, replace: true })
  }
  return (
    <Group gap="xs">
      <SegmentedControl
        size="xs"
        aria-label="Days"
        value={String(search.days ?? DAYS_STANDARD)}
        onChange={(value) => change({ days: Number(value) === DAYS_STANDARD ? undefined : Number(value) })}
        data={RANGES.map((days) => ({ value: String(days), label: days === 365 ? '1 year' : `${days} days` }))}
      />
      <Select
        aria-label="Flow"
        placeholder="All flows"
        clearable
        searchable
        w={170}
        size="xs"
        value={search.flow ?? null}
        onChange={(flow) => change({ flow: flow ?? undefined })}
        data={withChosen(
          flows.map(({ name }) => name),
          search.flow,
        )}
      />
      {isOperator && (
        <Select
          aria-label="User"
          placeholder="All users"
          clearable
          searchable
          w={150}
          size="xs"
          value={search.user ?? null}
          onChange={(user) => change({ user: user ?? undefined })}
          data={withChosen(
            users.map(({ name }) => name),
            search.user,
          )}
        />
      )}
    </Group>
  )
}

/** What the address names stays choosable, also when it is in no list any more. */
function withChosen(names: readonly string[], chosen: string | undefined): string[] {
  return [...new Set([...names, ...(chosen === undefined ? [] : [chosen])])].toSorted()
}

function Tiles({ insights: { totals } }: { readonly insights: Insights }) {
  const ended = totals.finished + totals.failed + totals.cancelled
  const unpriced = totals.calls - totals.priced_calls
  return (
    <SimpleGrid cols={{ base: 2, sm: 3, md: 5 }} spacing="sm">
      <Tile name="Runs started" value={count(totals.started)} note={`${count(totals.finished)} finished, ${count(totals.cancelled)} cancelled`} />
      <Tile
        name="Failed"
        value={count(totals.failed)}
        note={ended === 0 ? 'none has ended' : `${percent(totals.failed / ended)} of those that ended`}
        bad={totals.failed > 0}
      />
      <Tile
        name="Median duration"
        value={totals.p50_s === null ? '–' : duration(totals.p50_s)}
        note={totals.p95_s === null ? 'none has finished' : `95 % within ${duration(totals.p95_s)}`}
      />
      <Tile name="Tokens" value={compact(tokensOf(totals))} note={`${count(totals.calls)} model ${totals.calls === 1 ? 'call' : 'calls'}`} />
      <Tile
        name="Cost"
        value={cost(totals.cost)}
        note={unpriced === 0 ? 'of all calls' : `${count(unpriced)} ${unpriced === 1 ? 'call has' : 'calls have'} no known price`}
      />
    </SimpleGrid>
  )
}

function Tile({ name, value, note, bad = false }: { readonly name: string; readonly value: string; readonly note: string; readonly bad?: boolean }) {
  return (
    <Card withBorder padding="md">
      <Text size="sm" c="dimmed">
        {name}
      </Text>
      <Text fz={26} fw={650} lh={1.25} c={bad ? 'var(--mantine-color-error)' : undefined}>
        {value}
      </Text>
      <Text size="xs" c="dimmed">
        {note}
      </Text>
    </Card>
  )
}

/** A part of the whole: `0 %`, `0.4 %`, `12 %`. */
function percent(part: number): string {
  const value = part * 100
  return `${value === 0 || value >= 9.95 ? Math.round(value) : value.toFixed(1)} %`
}
