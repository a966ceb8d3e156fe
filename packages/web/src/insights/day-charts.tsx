import type { Insights } from '@koco/core/api'
import { BarChart } from '@mantine/charts'
import '@mantine/charts/styles.css'
import { Card, Group, SegmentedControl, SimpleGrid, Table, Title } from '@mantine/core'
import { useState } from 'react'
import { tokensOf } from '../api/insights.ts'
import { compact, cost, count } from '../show/format.ts'
import { RowTable } from '../show/wide-table.tsx'

type Days = Insights['days']

const HEIGHT = 220
const OUTCOMES = [
  { name: 'finished', label: 'Finished', color: 'teal.6' },
  { name: 'failed', label: 'Failed', color: 'red.6' },
  { name: 'cancelled', label: 'Cancelled', color: 'gray.5' },
]
const SPENT = { cost: { label: 'Cost', color: 'indigo.5', say: cost }, tokens: { label: 'Tokens', color: 'violet.5', say: compact } } as const

/** What happened on each day: how runs ended, and what was spent. As charts, or as the table behind them. */
export function DayCharts({ days }: { readonly days: Days }) {
  const [shown, show] = useState<'charts' | 'table'>('charts')
  const choice = (
    <SegmentedControl
      size="xs"
      aria-label="Show the days as"
      value={shown}
      onChange={show}
      data={[
        { value: 'charts', label: 'Charts' },
        { value: 'table', label: 'Table' },
      ]}
    />
  )
  return shown === 'table' ? (
    <DayTable days={days} choice={choice} />
  ) : (
    <SimpleGrid cols={{ base: 1, lg: 2 }} spacing="md">
      <RunsChart days={days} />
      <SpentChart days={days} choice={choice} />
    </SimpleGrid>
  )
}

function RunsChart({ days }: { readonly days: Days }) {
  const rows = days.map(({ day, finished, failed, cancelled }) => ({ day: shortDay(day), finished, failed, cancelled }))
  const failed = days.reduce((sum, day) => sum + day.failed, 0)
  return (
    <Card withBorder padding="lg">
      <Title order={2} mb="md">
        Runs that ended
      </Title>
      <div
        role="img"
        aria-label={`Runs that ended, by day: ${days.reduce((sum, day) => sum + day.finished, 0)} finished, ${failed} failed. The table has each day.`}
      >
        <BarChart
          h={HEIGHT}
          data={rows}
          dataKey="day"
          type="stacked"
          series={OUTCOMES}
          withLegend
          legendProps={{ verticalAlign: 'bottom', height: 32 }}
          tickLine="none"
          gridAxis="x"
          valueFormatter={count}
          yAxisProps={{ width: 40, allowDecimals: false }}
          xAxisProps={{ minTickGap: 24 }}
          maxBarWidth={28}
          barProps={{ isAnimationActive: false }}
        />
      </div>
    </Card>
  )
}

function SpentChart({ days, choice }: { readonly days: Days; readonly choice: React.ReactNode }) {
  const [by, setBy] = useState<keyof typeof SPENT>('cost')
  const { label, color, say } = SPENT[by]
  const rows = days.map((day) => ({ day: shortDay(day.day), spent: by === 'cost' ? day.cost : tokensOf(day) }))
  const total = rows.reduce((sum, { spent }) => sum + spent, 0)
  return (
    <Card withBorder padding="lg">
      <Group justify="space-between" mb="md" gap="xs">
        <Title order={2}>Spent on models</Title>
        <Group gap="xs">
          <SegmentedControl
            size="xs"
            aria-label="Cost or tokens"
            value={by}
            onChange={setBy}
            data={[
              { value: 'cost', label: 'Cost' },
              { value: 'tokens', label: 'Tokens' },
            ]}
          />
          {choice}
        </Group>
      </Group>
      <div role="img" aria-label={`${label} by day, together ${say(total)}. The table has each day.`}>
        <BarChart
          h={HEIGHT}
          data={rows}
          dataKey="day"
          series={[{ name: 'spent', label, color }]}
          tickLine="none"
          gridAxis="x"
          valueFormatter={say}
          yAxisProps={{ width: 56 }}
          xAxisProps={{ minTickGap: 24 }}
          maxBarWidth={28}
          barProps={{ isAnimationActive: false }}
        />
      </div>
    </Card>
  )
}

function DayTable({ days, choice }: { readonly days: Days; readonly choice: React.ReactNode }) {
  return (
    <Card withBorder padding="lg">
      <Group justify="space-between" mb="sm">
        <Title order={2}>By day</Title>
        {choice}
      </Group>
      <RowTable
        label="By day"
        minWidth={560}
        heads={['Day (UTC)', ...['Started', 'Finished', 'Failed', 'Cancelled', 'Tokens', 'Cost'].map((name) => ({ name, right: true }) as const)]}
      >
        {days.toReversed().map((day) => (
          <Table.Tr key={day.day}>
            <Table.Td>{day.day}</Table.Td>
            {[count(day.started), count(day.finished), count(day.failed), count(day.cancelled), compact(tokensOf(day)), cost(day.cost)].map((value, i) => (
              <Table.Td key={i} ta="right">
                {value}
              </Table.Td>
            ))}
          </Table.Tr>
        ))}
      </RowTable>
    </Card>
  )
}

const DAY = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', timeZone: 'UTC' })

function shortDay(day: string): string {
  return DAY.format(new Date(`${day}T00:00:00Z`))
}
