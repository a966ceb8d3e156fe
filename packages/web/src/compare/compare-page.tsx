import type { ComparedStep, DiffLine, Run, RunComparison } from '@koco/core/api'
import { Anchor, Card, Group, SimpleGrid, Stack, Table, Text, Title } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link, useSearch } from '@tanstack/react-router'
import { comparisonQuery } from '../api/forks.ts'
import { Page } from '../app/page.tsx'
import { Empty, Failure, Loading } from '../app/states.tsx'
import { compact, cost, count, duration, runName } from '../show/format.ts'
import { StatusBadge } from '../show/status.tsx'
import { WideTable } from '../show/wide-table.tsx'
import classes from './compare.module.css'

/** Two runs side by side: what differs in inputs and result, and their steps aligned. */
export function ComparePage() {
  const { a, b } = useSearch({ from: '/signed-in/compare' })
  const { data, error, refetch } = useQuery({ ...comparisonQuery(a, b), enabled: a !== '' && b !== '' })
  return (
    <Page title="Two runs side by side" about="Steps are aligned by name and key.">
      {(a === '' || b === '') && <Empty title="Two runs are needed">Choose two runs in the list of runs, then “Compare”.</Empty>}
      {error && <Failure error={error} retry={() => void refetch()} />}
      {!data && !error && a !== '' && b !== '' && <Loading what="runs" />}
      {data && <Compared compared={data} />}
    </Page>
  )
}

function Compared({ compared }: { readonly compared: RunComparison }) {
  const { a, b, steps, inputs, final } = compared
  return (
    <Stack gap="lg">
      <SimpleGrid cols={{ base: 1, sm: 2 }}>
        <RunCard run={a} which="a" />
        <RunCard run={b} which="b" />
      </SimpleGrid>
      <Text size="sm">{summary(compared)}</Text>
      <Stack gap="xs">
        <Title order={2}>Steps</Title>
        {steps.length === 0 ? <Text size="sm">Neither run has steps.</Text> : <Steps steps={steps} />}
      </Stack>
      <Lines title="Inputs" lines={inputs} />
      <Lines title="Result" lines={final} />
    </Stack>
  )
}

function RunCard({ run, which }: { readonly run: Run; readonly which: 'a' | 'b' }) {
  return (
    <Card withBorder padding="sm" className={classes['run']} data-which={which}>
      <Group justify="space-between" wrap="nowrap">
        <Anchor component={Link} to="/runs/$fid" {...({ params: { fid: run.fid } } as object)} fw={600} size="sm" truncate>
          {runName(run)}
        </Anchor>
        <StatusBadge status={run.status} />
      </Group>
      <Text size="xs" c="dimmed">
        {which.toUpperCase()} · {run.flow} · {run.runtime_s === null ? 'not started' : duration(run.runtime_s)} · {count(run.events)} events
      </Text>
    </Card>
  )
}

function Steps({ steps }: Pick<RunComparison, 'steps'>) {
  const sides = steps.flatMap(({ a, b }) => [a, b])
  const priced = sides.some((step) => step !== null && (step.tokens > 0 || step.cost !== null))
  const names = ['Came to', 'Time', ...(priced ? ['Tokens', 'Cost'] : [])]
  return (
    <WideTable label="Steps of both runs" minWidth={900}>
      <Table.Thead>
        <Table.Tr>
          <Table.Th rowSpan={2}>Step</Table.Th>
          <Table.Th colSpan={names.length}>A</Table.Th>
          <Table.Th colSpan={names.length}>B</Table.Th>
        </Table.Tr>
        <Table.Tr>{['a', 'b'].flatMap((side) => names.map((name) => <Table.Th key={`${side} ${name}`}>{name}</Table.Th>))}</Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {steps.map(({ id, same, a, b }) => (
          <Table.Tr key={id} className={classes['step']} data-same={same}>
            <Table.Td ff="monospace" fz="sm">
              {id}
            </Table.Td>
            <Cells step={a} priced={priced} />
            <Cells step={b} priced={priced} />
          </Table.Tr>
        ))}
      </Table.Tbody>
    </WideTable>
  )
}

function Cells({ step, priced }: { readonly step: ComparedStep | null; readonly priced: boolean }) {
  if (!step)
    return (
      <Table.Td colSpan={priced ? 4 : 2} c="dimmed">
        not asked for
      </Table.Td>
    )
  return (
    <>
      <Table.Td className={classes['result']} title={JSON.stringify(step.result)}>
        {step.status === 'finished' ? JSON.stringify(step.result).slice(0, 60) : step.status}
        {step.tries > 1 && <Text span c="dimmed" size="xs">{` after ${step.tries} tries`}</Text>}
      </Table.Td>
      <Table.Td className={classes['figure']}>{step.duration_s === null ? '' : duration(step.duration_s)}</Table.Td>
      {priced && <Table.Td className={classes['figure']}>{step.tokens === 0 ? '' : compact(step.tokens)}</Table.Td>}
      {priced && <Table.Td className={classes['figure']}>{step.cost === null ? '' : cost(step.cost)}</Table.Td>}
    </>
  )
}

function Lines({ title, lines }: { readonly title: string; readonly lines: readonly DiffLine[] }) {
  const equal = lines.every((line) => line.in === 'both')
  return (
    <Stack gap="xs">
      <Title order={2}>
        {title}
        {equal && (
          <Text span c="dimmed" size="sm">
            {' '}
            equal
          </Text>
        )}
      </Title>
      {/* A scrolling region that can be reached by keyboard. */}
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <pre className={classes['lines']} tabIndex={0} aria-label={title}>
        {lines.map((line, index) => (
          // Lines of a text that does not change.
          // oxlint-disable-next-line react/no-array-index-key
          <span key={index} data-in={line.in}>
            {`${line.in === 'a' ? '−' : line.in === 'b' ? '+' : ' '} ${line.text}\n`}
          </span>
        ))}
      </pre>
    </Stack>
  )
}

function summary({ differences: { runtime_s: runtime, events, tokens, cost: spent }, steps }: RunComparison): string {
  const more = (value: number, text: (of: number) => string) => (value === 0 ? null : `${text(Math.abs(value))} ${value > 0 ? 'more' : 'less'}`)
  const parts = [
    runtime === null ? null : more(runtime, (of) => duration(of)),
    more(events, (of) => `${count(of)} events`),
    more(tokens, (of) => `${compact(of)} tokens`),
    spent === null ? null : more(spent, (of) => cost(of)),
  ].filter((part) => part !== null)
  const same = steps.filter((pair) => pair.same).length
  return `${same} of ${steps.length} steps came out alike. B against A: ${parts.length === 0 ? 'no difference' : parts.join(', ')}.`
}
