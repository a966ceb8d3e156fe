import type { Budget } from '@koco/core/api'
import { Button, Card, Group, Table, Text } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { budgetsQuery, deleteBudget } from '../api/budgets.ts'
import { notifyDone, notifyFailure } from '../app/notify.ts'
import { OperatorsOnly } from '../app/operators-only.tsx'
import { Page } from '../app/page.tsx'
import { Empty, Failure, Loading } from '../app/states.tsx'
import { OperationsTabs } from '../operations/operations-tabs.tsx'
import { compact, cost } from '../show/format.ts'
import { Ago } from '../show/time.tsx'
import { RowTable } from '../show/wide-table.tsx'
import { BudgetDialog } from './budget-dialog.tsx'

/** What may be spent on models before runs are held and people are asked; for operators. */
export function BudgetsPage() {
  return (
    <OperatorsOnly title="Budgets">
      <BudgetsView />
    </OperatorsOnly>
  )
}

function BudgetsView() {
  const { data: budgets, error, refetch } = useQuery(budgetsQuery)
  const [edited, edit] = useState<Budget | 'new' | null>(null)
  return (
    <Page
      title="Budgets"
      about="What may be spent on models. A run that has used up a budget is held at its next step until somebody lets it go on; nothing is lost."
      actions={<Button onClick={() => edit('new')}>Set a budget</Button>}
    >
      <OperationsTabs />
      {error && <Failure error={error} retry={() => void refetch()} />}
      {!budgets && !error && <Loading what="budgets" />}
      {budgets?.length === 0 && (
        <Empty title="No budgets">
          Flows may have one of their own (<code>budget</code> in <code>defineFlow</code>). Those set here hold besides, for all flows or one, by run or by day.
        </Empty>
      )}
      {budgets && budgets.length > 0 && <BudgetTable budgets={budgets} edit={edit} />}
      {edited !== null && <BudgetDialog budget={edited === 'new' ? null : edited} close={() => edit(null)} />}
    </Page>
  )
}

function BudgetTable({ budgets, edit }: { readonly budgets: readonly Budget[]; readonly edit: (budget: Budget) => void }) {
  return (
    <Card withBorder padding="xs">
      <RowTable label="Budgets" minWidth={700} heads={['Budget', 'Holds for', 'At most', 'Who lets runs go on', '']}>
        {budgets.map((budget) => (
          <BudgetRow key={budget.id} budget={budget} edit={() => edit(budget)} />
        ))}
      </RowTable>
    </Card>
  )
}

function BudgetRow({ budget, edit }: { readonly budget: Budget; readonly edit: () => void }) {
  const client = useQueryClient()
  const drop = useMutation({
    mutationFn: () => deleteBudget(budget.id),
    onSuccess: () => notifyDone(`Budget ${budget.id} is deleted; the runs that it held go on.`),
    onError: (error) => notifyFailure(`Could not delete ${budget.id}`, error),
    onSettled: () => client.invalidateQueries({ queryKey: budgetsQuery.queryKey }),
  })
  const { flow, user } = budget
  return (
    <Table.Tr>
      <Table.Td>
        <div>
          <Text inherit fw={550}>
            {budget.id}
          </Text>
          <Text size="xs" c="dimmed">
            {budget.changed_by}, <Ago at={budget.changed_at} span />
          </Text>
        </div>
      </Table.Td>
      <Table.Td>{`${budget.per === 'run' ? 'each run' : 'all runs of a day'} of ${flow ?? 'every flow'}${user === null ? '' : `, by ${user}`}`}</Table.Td>
      <Table.Td style={{ whiteSpace: 'nowrap' }}>
        <div>
          {[budget.cost === null ? null : cost(budget.cost), budget.tokens === null ? null : `${compact(budget.tokens)} tokens`].filter(Boolean).join(', ')}
          <Text size="xs" c="dimmed">
            warns at {Math.round(budget.warn_at * 100)} %
          </Text>
        </div>
      </Table.Td>
      <Table.Td>{[...budget.assignees, 'operators'].join(', ')}</Table.Td>
      <Table.Td>
        <Group gap="xs" justify="flex-end" wrap="nowrap">
          <Button size="xs" variant="default" onClick={edit} aria-label={`Change ${budget.id}`}>
            Change
          </Button>
          <Button size="xs" variant="light" color="red" loading={drop.isPending} onClick={() => drop.mutate()} aria-label={`Delete ${budget.id}`}>
            Delete
          </Button>
        </Group>
      </Table.Td>
    </Table.Tr>
  )
}
