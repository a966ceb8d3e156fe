import type { Insights, Sums } from '@koco/core/api'
import { Anchor, Card, Progress, Table, Text, Title } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { tokensOf } from '../api/insights.ts'
import { compact, cost, count, duration } from '../show/format.ts'
import { RowTable } from '../show/wide-table.tsx'

type Column = { readonly name: string; readonly left?: boolean }

const RUN_COLUMNS: readonly Column[] = ['Runs', 'Failed', 'Median', '95 %', 'Model calls', 'Tokens', 'Cost'].map((name) => ({ name }))

/** What each flow came to. */
export function FlowTable({ flows }: { readonly flows: Insights['flows'] }) {
  return <RunSumsTable title="Flows" first="Flow" rows={flows.map((sums) => ({ name: sums.flow, search: { flow: sums.flow }, sums }))} />
}

/** What each user's runs came to. */
export function UserTable({ users }: { readonly users: Insights['users'] }) {
  return <RunSumsTable title="Users" first="User" rows={users.map((sums) => ({ name: sums.user, search: { user: sums.user }, sums }))} />
}

/** What each model came to, and its part of the whole cost. */
export function ModelTable({ models }: { readonly models: Insights['models'] }) {
  const whole = models.reduce((sum, model) => sum + model.cost, 0)
  const names = ['Calls', 'Mean', 'Input', 'Cached', 'Output', 'Reasoning', 'Cost']
  return (
    <SumsTable title="Models" columns={[{ name: 'Model', left: true }, ...names.map((name) => ({ name })), { name: 'Part of the cost', left: true }]}>
      {models.map((one) => (
        <Table.Tr key={`${one.provider}/${one.model}`}>
          <Table.Td>
            <span>
              <Text fw={550} inherit span>
                {one.model}
              </Text>{' '}
              <Text c="dimmed" inherit span>
                {one.provider}
              </Text>
            </span>
          </Table.Td>
          <Cell>{count(one.calls)}</Cell>
          <Cell>{duration(one.mean_s)}</Cell>
          <Cell>{compact(one.tokens.input_uncached + one.tokens.cache_write)}</Cell>
          <Cell>{compact(one.tokens.cache_read)}</Cell>
          <Cell>{compact(one.tokens.output)}</Cell>
          <Cell>{compact(one.tokens.reasoning)}</Cell>
          <Cell>{one.priced_calls === 0 ? 'unknown' : cost(one.cost)}</Cell>
          <Table.Td w={120}>
            <Progress miw={90} value={whole === 0 ? 0 : (one.cost / whole) * 100} color="indigo.5" aria-label={`${one.model}: part of the cost`} />
          </Table.Td>
        </Table.Tr>
      ))}
    </SumsTable>
  )
}

function SumsTable({ title, columns, children }: { readonly title: string; readonly columns: readonly Column[]; readonly children: ReactNode }) {
  return (
    <Card withBorder padding="lg">
      <Title order={2} mb="xs">
        {title}
      </Title>
      <RowTable label={title} minWidth={720} heads={columns.map(({ name, left }) => (left === true ? name : { name, right: true }))}>
        {children}
      </RowTable>
    </Card>
  )
}

function RunCells({ sums }: { readonly sums: Sums }) {
  const ended = sums.finished + sums.failed + sums.cancelled
  return (
    <>
      <Cell>{count(sums.started)}</Cell>
      <Cell bad={sums.failed > 0}>
        {sums.failed === 0 ? '0' : `${count(sums.failed)} (${Math.max(1, Math.round((sums.failed / Math.max(1, ended)) * 100))} %)`}
      </Cell>
      <Cell>{sums.p50_s === null ? '–' : duration(sums.p50_s)}</Cell>
      <Cell>{sums.p95_s === null ? '–' : duration(sums.p95_s)}</Cell>
      <Cell>{count(sums.calls)}</Cell>
      <Cell>{compact(tokensOf(sums))}</Cell>
      <Cell>{sums.calls > 0 && sums.priced_calls === 0 ? 'unknown' : cost(sums.cost)}</Cell>
    </>
  )
}

function Cell({ children, bad = false }: { readonly children: ReactNode; readonly bad?: boolean }) {
  return (
    <Table.Td ta="right" style={{ whiteSpace: 'nowrap' }} c={bad ? 'var(--mantine-color-error)' : undefined}>
      {children}
    </Table.Td>
  )
}

type RunSumsRow = { readonly name: string; readonly search: object; readonly sums: Sums }

function RunSumsTable({ title, first, rows }: { readonly title: string; readonly first: string; readonly rows: readonly RunSumsRow[] }) {
  return (
    <SumsTable title={title} columns={[{ name: first, left: true }, ...RUN_COLUMNS]}>
      {rows.map(({ name, search, sums }) => (
        <Table.Tr key={name}>
          <Table.Td fw={550}>
            <Anchor component={Link} to="/insights" search={search as never} inherit>
              {name}
            </Anchor>
          </Table.Td>
          <RunCells sums={sums} />
        </Table.Tr>
      ))}
    </SumsTable>
  )
}
