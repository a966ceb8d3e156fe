import { Alert, Badge, Button, Checkbox, Code, Group, Modal, Stack, Text, Textarea } from '@mantine/core'
import type { Json } from '@koco/core'
import type { ForkPlan } from '@koco/core/api'
import { keepPreviousData, useMutation, useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { forkPlanQuery, startFork, type ForkWish } from '../api/forks.ts'
import { newKey } from '../api/new-key.ts'
import { messageOf } from '../api/problem.ts'
import { runQuery } from '../api/runs.ts'
import { notifyDone } from '../app/notify.ts'
import { count } from '../show/format.ts'
import { ForkResult } from './fork-result.tsx'

/** Plans a fork of a run at one of its events, and starts it. */
export function ForkDialog({ fid, at, close }: { readonly fid: string; readonly at: string; readonly close: () => void }) {
  const { data: run } = useQuery(runQuery(fid))
  const [again, setAgain] = useState<readonly string[]>([])
  const [text, setText] = useState<string | null>(null)
  const [typed, setTyped] = useState<Typed>({})
  const inputs = text === null ? undefined : parsed(text)
  const results = Object.fromEntries(Object.entries(typed).flatMap(([id, value]) => (value === undefined || again.includes(id) ? [] : [[id, parsed(value)]])))
  const isBroken = inputs === BROKEN || Object.values(results).includes(BROKEN)
  const wish: ForkWish = {
    at,
    ...(again.length > 0 && { again }),
    ...(inputs !== undefined && inputs !== BROKEN && { inputs }),
    ...(Object.keys(results).length > 0 && { results: results as Readonly<Record<string, Json>> }),
  }
  const { data: plan, error } = useQuery({ ...forkPlanQuery(fid, { at, ...(again.length > 0 && { again }) }), placeholderData: keepPreviousData })
  const navigate = useNavigate()
  const [key] = useState(newKey)
  const start = useMutation({
    mutationFn: () => startFork(fid, wish, key),
    onSuccess: async ({ fid: forked }) => {
      notifyDone('The fork has started.')
      close()
      await navigate({ to: '/runs/$fid', params: { fid: forked } })
    },
  })
  const failure = start.error ?? error
  return (
    <Modal opened onClose={close} title="Fork this run" size="lg" centered>
      <Stack gap="md">
        <Text size="sm">
          A new run begins with everything up to <Code>{at}</Code>
          {plan ? ` (${count(plan.events)} events)` : ''}. What had finished there is taken over; what follows is done anew. This run stays as it is.
        </Text>
        {plan && <Plan plan={plan} again={again} setAgain={setAgain} typed={typed} setTyped={setTyped} />}
        <Textarea
          label="Inputs"
          description="Change them to try something else. Steps whose input changes with them have to be done again: choose them above."
          value={text ?? JSON.stringify(run?.inputs ?? null, null, 2)}
          onChange={(event) => setText(event.currentTarget.value)}
          error={inputs === BROKEN ? 'This is no JSON.' : undefined}
          autosize
          minRows={2}
          maxRows={10}
          styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }}
        />
        {failure && <Alert color="orange">{messageOf(failure)}</Alert>}
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>
            Leave it
          </Button>
          <Button data-confirm loading={start.isPending} disabled={!plan || isBroken} onClick={() => start.mutate()}>
            Start the fork
          </Button>
        </Group>
      </Stack>
    </Modal>
  )
}

/** Other results of steps as they are typed, by the steps' ids; undefined while one is only looked at. */
type Typed = Readonly<Record<string, string | undefined>>

type PlanProps = {
  readonly plan: ForkPlan
  readonly again: readonly string[]
  readonly setAgain: (ids: readonly string[]) => void
  readonly typed: Typed
  readonly setTyped: (typed: Typed) => void
}

function Plan({ plan, again, setAgain, typed, setTyped }: PlanProps) {
  const chosen = new Set(again)
  const finished = [...plan.reused, ...plan.again.filter(({ reason }) => reason === 'asked')]
  const later = plan.again.filter(({ reason }) => reason !== 'asked')
  return (
    <Stack gap="xs">
      {finished.length === 0 && <Text size="sm">No step had finished: everything is done anew.</Text>}
      {finished.length > 0 && (
        <Text size="sm" fw={600}>
          Finished up to here; tick what is to be done again
        </Text>
      )}
      {finished.map((step) => (
        <Finished
          key={step.id}
          plan={plan}
          step={step}
          isAgain={chosen.has(step.id)}
          setAgain={(is) => setAgain(is ? [...again, step.id] : again.filter((one) => one !== step.id))}
          typed={typed}
          setTyped={setTyped}
        />
      ))}
      {later.length > 0 && (
        <Text size="sm" fw={600}>
          Done again, as far as this run came
        </Text>
      )}
      {later.map(({ id, reason, idempotency_key_before: key }) => (
        <Group key={id} gap="xs" justify="space-between">
          <Code style={{ overflowWrap: 'anywhere' }}>{id}</Code>
          <Text size="xs" c="dimmed" title={`It handed the idempotency key ${key} to outside systems; the fork hands out another.`}>
            {reason === 'unfinished' ? 'had begun' : 'came later'}, key was {key.slice(0, 8)}…
          </Text>
        </Group>
      ))}
      {plan.again.length > 0 && (
        <Alert color="orange" variant="light" p="xs">
          What these steps do outside happens again, under other idempotency keys.
        </Alert>
      )}
      {plan.open_locks.map(({ lid, name }) => (
        <Text key={lid} size="sm">
          The question “{name}” was open; it is asked again.
        </Text>
      ))}
      {plan.children.map(({ fid, flow }) => (
        <Text key={fid} size="sm">
          A run of {flow} had been started; the fork starts its own.
        </Text>
      ))}
    </Stack>
  )
}

type FinishedProps = Pick<PlanProps, 'plan' | 'typed' | 'setTyped'> & {
  readonly step: { readonly id: string; readonly at?: string }
  readonly isAgain: boolean
  readonly setAgain: (is: boolean) => void
}

/** A step that had finished: taken over, with another result, or done again. */
function Finished({ plan, step: { id, at }, isAgain, setAgain, typed, setTyped }: FinishedProps) {
  const isOpen = Object.hasOwn(typed, id) && !isAgain && at !== undefined
  const isEdited = isOpen && typed[id] !== undefined
  const fold = (): void => setTyped(isOpen ? Object.fromEntries(Object.entries(typed).filter(([one]) => one !== id)) : { ...typed, [id]: undefined })
  return (
    <>
      <Group gap={4} justify="space-between">
        <Checkbox
          size="xs"
          label={<Code>{id}</Code>}
          aria-label={`Do ${id} again`}
          checked={isAgain}
          onChange={({ currentTarget }) => setAgain(currentTarget.checked)}
        />
        <Group gap="xs" wrap="nowrap" ml="auto">
          {!isAgain && (
            <Button variant="subtle" size="compact-xs" onClick={fold}>
              {isOpen ? 'Leave its result' : 'Change its result'}
            </Button>
          )}
          <Badge variant="light" tt="none" color={isAgain || isEdited ? 'orange' : 'teal'}>
            {isAgain ? 'done again' : isEdited ? 'other result' : 'taken over'}
          </Badge>
        </Group>
      </Group>
      {isOpen && (
        <ForkResult
          fid={plan.from}
          step={{ id, at }}
          text={typed[id]}
          isBroken={typed[id] !== undefined && parsed(typed[id]) === BROKEN}
          change={(value) => setTyped({ ...typed, [id]: value })}
        />
      )}
    </>
  )
}

const BROKEN = Symbol('no JSON')

function parsed(text: string): Json | typeof BROKEN {
  try {
    return JSON.parse(text) as Json
  } catch {
    return BROKEN
  }
}
