import { Alert, Anchor, Badge, Card, Group, Stack, Text, Textarea, Title } from '@mantine/core'
import { isJsonObject, type Json } from '@koco/core'
import type { Lock } from '@koco/core/api'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { lazy, Suspense, useMemo, useState } from 'react'
import { answerLock } from '../api/locks.ts'
import { ApiProblem } from '../api/problem.ts'
import { meQuery } from '../api/session.ts'
import { Loading } from '../app/states.tsx'
import { notifyDone } from '../app/notify.ts'
import { filesSent } from '../files/pending.ts'
import { Draft } from '../forms/draft.ts'
import { JsonBlock } from '../show/json.tsx'
import { Markdown } from '../show/markdown.tsx'
import { Ago } from '../show/time.tsx'
import classes from './lock-card.module.css'
import { answerers } from './questions.ts'

const SchemaForm = lazy(() => import('../forms/schema-form.tsx').then((module) => ({ default: module.SchemaForm })))

/** An open question with what a person needs to decide, and the form of the answer. `withRun`: says which run asks (in the inbox). */
export function LockCard({ lock, withRun = false }: { readonly lock: Lock; readonly withRun?: boolean }) {
  return (
    <Card withBorder padding="md" className={classes['card']} component="section" aria-label={`Question: ${lock.name}`}>
      <Stack gap="sm">
        <Group justify="space-between" gap="xs">
          <Group gap="xs">
            <Badge color="orange" variant="light" radius="sm" tt="none">
              Question
            </Badge>
            <Title order={2} className={classes['name']}>
              {lock.name}
            </Title>
          </Group>
          <Text size="xs" c="dimmed">
            asked <Ago at={lock.asked_at} />
            {lock.expires_at !== null && (
              <>
                , answer due <Ago at={lock.expires_at} />
              </>
            )}
          </Text>
        </Group>
        {withRun && <AskingRun lock={lock} />}
        {(lock.assignees.length > 0 || lock.roles.length > 0 || !lock.may_answer) && (
          <Text size="sm" c="dimmed">
            For {answerers(lock)} to answer.
          </Text>
        )}
        <Escalations lock={lock} />
        <div className={classes['body']}>
          {lock.data !== null && <LockData data={lock.data} />}
          {lock.may_answer && (
            <Suspense fallback={<Loading what="form" />}>
              <LockAnswer lock={lock} />
            </Suspense>
          )}
        </div>
      </Stack>
    </Card>
  )
}

/** That it was put to others, and to whom it will be. */
function Escalations({ lock }: { readonly lock: Lock }) {
  const { escalations, escalated } = lock
  const last = escalations[escalated - 1]
  const next = escalations[escalated]
  if (!last && !next) return null
  return (
    <Group gap="xs">
      {last && (
        <Badge color="red" variant="light" radius="sm" tt="none">
          Escalated <Ago at={last.at} span fz="inherit" />
        </Badge>
      )}
      {next && (
        <Text size="sm" c="dimmed">
          Without an answer it is for {answerers({ ...lock, ...next })} <Ago at={next.at} span fz="inherit" />.
        </Text>
      )}
    </Group>
  )
}

/** The run that asks: a link where the person may look at it. */
export function AskingRun({ lock }: { readonly lock: Lock }) {
  const { data: me } = useQuery(meQuery)
  const name = lock.summary || lock.flow
  return (
    <Text size="sm" c="dimmed">
      {me?.user.role === 'operator' || me?.user.name === lock.user ? (
        <Anchor component={Link} to="/runs/$fid" params={{ fid: lock.fid } as never}>
          {name}
        </Anchor>
      ) : (
        name
      )}{' '}
      · {lock.flow} · {lock.user}
    </Text>
  )
}

/** What the asker shows: Markdown and text as such, all else as JSON. */
function LockData({ data }: { readonly data: Json }) {
  if (isJsonObject(data) && data['type'] === 'markdown' && typeof data['value'] === 'string') return <Markdown text={data['value']} />
  if (typeof data === 'string') return <Markdown text={data} />
  return <JsonBlock value={data} what="data" />
}

function LockAnswer({ lock }: { readonly lock: Lock }) {
  const client = useQueryClient()
  const draft = useMemo(() => new Draft(sessionStorage, `lock:${lock.fid}:${lock.lid}`, lock.form), [lock.fid, lock.lid, lock.form])
  const [value, setValue] = useState<Json>(() => draft.load() ?? {})
  const [reason, setReason] = useState('')
  const refresh = () => {
    void client.invalidateQueries({ queryKey: ['locks'] })
    void client.invalidateQueries({ queryKey: ['run', lock.fid] })
  }
  const answer = useMutation({
    mutationFn: async (given: Json) => {
      await filesSent(given)
      return answerLock(lock.fid, lock.lid, given, reason)
    },
    onSuccess: () => {
      draft.clear()
      notifyDone('Answered. The run goes on.')
      refresh()
    },
    onError: (error) => {
      if (error instanceof ApiProblem && error.status === 409) refresh()
    },
  })
  if (answer.isSuccess) return <Alert color="teal">Your answer is in. The run goes on.</Alert>
  if (answer.error instanceof ApiProblem && answer.error.status === 409) return <Alert color="orange">{answer.error.message}</Alert>
  return (
    <SchemaForm
      idPrefix={`lock-${lock.lid}`}
      schema={lock.form}
      value={value}
      onChange={(data) => {
        setValue(data)
        draft.save(data)
      }}
      onSubmit={(data) => !answer.isPending && answer.mutate(data)}
      busy={answer.isPending}
      error={answer.error}
      submit="Answer"
      before={
        <Textarea
          mt="md"
          label="Reason"
          description="Stays in the timeline; may be left out."
          autosize
          maxRows={6}
          maxLength={2000}
          value={reason}
          onChange={(event) => setReason(event.target.value)}
        />
      }
    />
  )
}
