import { Alert, Badge, Button, Card, Group, Stack, Text, TextInput, Title } from '@mantine/core'
import { isJsonObject, type Json } from '@koco/core'
import type { Lock } from '@koco/core/api'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { answerLock } from '../api/locks.ts'
import { notifyFailure } from '../app/notify.ts'
import classes from '../locks/lock-card.module.css'
import { JsonBlock } from '../show/json.tsx'

/** What a chat flow asks before it uses a tool; null for every other question. */
export function approvalOf({ form, data }: Pick<Lock, 'form' | 'data'>): { readonly tool: string; readonly input: Json } | null {
  const properties = isJsonObject(form) ? form['properties'] : undefined
  if (!isJsonObject(properties) || !isJsonObject(properties['approve']) || properties['approve']['type'] !== 'boolean') return null
  if (Object.keys(properties).some((name) => name !== 'approve' && name !== 'note')) return null
  return isJsonObject(data) && typeof data['tool'] === 'string' ? { tool: data['tool'], input: data['input'] ?? null } : null
}

/** The question whether the agent may use a tool, answered by one press: yes, or no with the reason that the agent is told. */
export function Approval({ lock, tool, input }: { readonly lock: Lock; readonly tool: string; readonly input: Json }) {
  const client = useQueryClient()
  const [note, setNote] = useState('')
  const answer = useMutation({
    mutationFn: (approve: boolean) => answerLock(lock.fid, lock.lid, { approve, ...(note.trim() !== '' && { note: note.trim() }) }, ''),
    onError: (error) => notifyFailure('Your answer did not arrive', error),
    onSettled: () => void client.invalidateQueries({ queryKey: ['locks'] }),
  })
  return (
    <Card withBorder padding="md" className={classes['card']} component="section" aria-label={`Question: ${lock.name}`}>
      <Stack gap="sm">
        <Group gap="xs">
          <Badge color="orange" variant="light" radius="sm" tt="none">
            Question
          </Badge>
          <Title order={2} fz="md">
            May it use {tool}?
          </Title>
        </Group>
        <JsonBlock value={input} what="input" />
        {answer.isSuccess ? (
          <Alert color="teal">{answer.variables ? 'Approved.' : 'Refused.'} The agent goes on.</Alert>
        ) : lock.may_answer ? (
          <>
            <TextInput
              aria-label="What the agent is told when you refuse"
              placeholder="If not: why, or what to do instead"
              maxLength={2_000}
              value={note}
              onChange={(event) => setNote(event.target.value)}
            />
            <Group gap="sm">
              <Button loading={answer.isPending && answer.variables} onClick={() => answer.mutate(true)}>
                Approve
              </Button>
              <Button variant="default" loading={answer.isPending && !answer.variables} onClick={() => answer.mutate(false)}>
                Refuse
              </Button>
            </Group>
          </>
        ) : (
          <Text size="sm" c="dimmed">
            Somebody else answers this.
          </Text>
        )}
      </Stack>
    </Card>
  )
}
