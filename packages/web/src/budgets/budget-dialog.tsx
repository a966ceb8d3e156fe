import type { Budget } from '@koco/core/api'
import { Alert, Button, Group, Modal, NumberInput, SegmentedControl, Select, Slider, Stack, TagsInput, Text, TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { budgetsQuery, setBudget } from '../api/budgets.ts'
import { flowsQuery } from '../api/flows.ts'
import { ApiProblem, messageOf } from '../api/problem.ts'
import { usersQuery } from '../api/users.ts'
import { notifyDone } from '../app/notify.ts'

type Entered = Omit<Budget, 'changed_at' | 'changed_by'>

const FRESH: Entered = { id: '', flow: null, user: null, per: 'run', cost: null, tokens: null, warn_at: 0.8, assignees: [] }

/** Makes a budget, or changes one. */
export function BudgetDialog({ budget, close }: { readonly budget: Budget | null; readonly close: () => void }) {
  const client = useQueryClient()
  const [entered, setEntered] = useState<Entered>(budget ?? FRESH)
  const save = useMutation({
    mutationFn: () => setBudget(entered),
    onSuccess: (saved) => {
      notifyDone(`Budget ${saved.id} is set. Runs see it within seconds.`)
      void client.invalidateQueries({ queryKey: budgetsQuery.queryKey })
      close()
    },
  })
  const problem = save.error instanceof ApiProblem ? save.error : undefined
  const fault = (name: string) => problem?.fields.find((field) => field.path === `/${name}`)?.message
  return (
    <Modal opened onClose={close} title={budget ? `Budget ${budget.id}` : 'Set a budget'} centered>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          save.mutate()
        }}
      >
        <Stack gap="sm">
          {save.error && (problem?.fields.length ?? 0) === 0 && <Alert color="red">{messageOf(save.error)}</Alert>}
          {!budget && (
            <TextInput
              label="Name"
              description="a-z, 0-9, dot, dash and underscore"
              required
              value={entered.id}
              error={fault('id')}
              onChange={(event) => setEntered({ ...entered, id: event.target.value })}
              data-autofocus
            />
          )}
          <Scope entered={entered} change={(part) => setEntered({ ...entered, ...part })} />
          <Limits entered={entered} change={(part) => setEntered({ ...entered, ...part })} fault={fault} />
          <Group justify="flex-end" mt="xs">
            <Button variant="default" onClick={close}>
              Cancel
            </Button>
            <Button type="submit" loading={save.isPending}>
              Set
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}

type Part = { readonly entered: Entered; readonly change: (part: Partial<Entered>) => void }

function Scope({ entered, change }: Part) {
  const { data: flows = [] } = useQuery(flowsQuery)
  const { data: users = [] } = useQuery(usersQuery)
  const names = users.map(({ name }) => name)
  return (
    <>
      <SegmentedControl
        aria-label="Holds for"
        value={entered.per}
        onChange={(per) => change({ per })}
        data={[
          { value: 'run', label: 'Each run' },
          { value: 'day', label: 'All runs of a day (UTC)' },
        ]}
      />
      <Group grow>
        <Select
          label="Flow"
          placeholder="Every flow"
          clearable
          searchable
          value={entered.flow}
          onChange={(flow) => change({ flow })}
          data={flows.map(({ name }) => name)}
        />
        <Select label="User" placeholder="Everybody" clearable searchable value={entered.user} onChange={(user) => change({ user })} data={names} />
      </Group>
      <TagsInput
        label="Who lets runs go on"
        description="Names of users; operators always may."
        value={[...entered.assignees]}
        onChange={(assignees) => change({ assignees })}
        data={names}
      />
    </>
  )
}

function Limits({ entered, change, fault }: Part & { readonly fault: (name: string) => string | undefined }) {
  const amount = (value: string | number) => (value === '' ? null : Number(value))
  return (
    <>
      <Group grow align="flex-start">
        <NumberInput
          label="Cost, at most"
          prefix="$"
          min={0}
          decimalScale={4}
          thousandSeparator=","
          value={entered.cost ?? ''}
          error={fault('cost')}
          onChange={(value) => change({ cost: amount(value) })}
        />
        <NumberInput
          label="Tokens, at most"
          min={0}
          allowDecimal={false}
          thousandSeparator=","
          value={entered.tokens ?? ''}
          error={fault('tokens')}
          onChange={(value) => change({ tokens: amount(value) })}
        />
      </Group>
      <Stack gap={4}>
        <Text size="sm" fw={500} id="warn-at">
          Warn at {Math.round(entered.warn_at * 100)} %
        </Text>
        <Slider
          thumbProps={{ 'aria-labelledby': 'warn-at' }}
          min={10}
          max={100}
          step={5}
          label={null}
          value={Math.round(entered.warn_at * 100)}
          onChange={(value) => change({ warn_at: value / 100 })}
        />
      </Stack>
    </>
  )
}
