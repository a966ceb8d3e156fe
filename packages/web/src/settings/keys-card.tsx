import type { ApiKey } from '@koco/core/api'
import { Alert, Button, Card, Code, Group, Stack, Switch, Text, TextInput, Title } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { newKey } from '../api/new-key.ts'
import { meQuery } from '../api/session.ts'
import { deleteKey, keysQuery, makeKey } from '../api/users.ts'
import { notifyFailure } from '../app/notify.ts'
import { Failure } from '../app/states.tsx'
import { Copy } from '../show/copy.tsx'
import { Ago } from '../show/time.tsx'

/** The API keys of the person, or of everybody for an operator who asks. */
export function KeysCard() {
  const { data: me } = useQuery(meQuery)
  const [all, setAll] = useState(false)
  const { data: keys = [], error } = useQuery(keysQuery(all))
  return (
    <Card withBorder padding="lg">
      <Group justify="space-between" mb="sm">
        <Title order={2}>API keys</Title>
        {me?.user.role === 'operator' && <Switch size="sm" label="Of everybody" checked={all} onChange={(event) => setAll(event.currentTarget.checked)} />}
      </Group>
      {error && <Failure error={error} />}
      <Stack gap="sm">
        {keys.map((key) => (
          <KeyLine key={key.id} apiKey={key} withUser={all} />
        ))}
        <MakeKey />
      </Stack>
    </Card>
  )
}

function KeyLine({ apiKey, withUser }: { readonly apiKey: ApiKey; readonly withUser: boolean }) {
  const client = useQueryClient()
  const remove = useMutation({
    mutationFn: () => deleteKey(apiKey.id),
    onError: (error) => notifyFailure('Could not delete the key', error),
    onSettled: () => client.invalidateQueries({ queryKey: ['keys'] }),
  })
  return (
    <Group justify="space-between" gap="xs" wrap="nowrap">
      <div>
        <Text size="sm">
          {apiKey.name} <Code>koco_{apiKey.prefix}_…</Code>
        </Text>
        <Text size="xs" c="dimmed">
          {withUser && `${apiKey.user ?? 'nobody'}, `}
          {apiKey.used_at === null ? (
            'never used'
          ) : (
            <>
              used <Ago at={apiKey.used_at} />
            </>
          )}
        </Text>
      </div>
      <Button
        size="xs"
        variant="default"
        style={{ flex: 'none' }}
        loading={remove.isPending}
        onClick={() => remove.mutate()}
        aria-label={`Delete the key ${apiKey.name}`}
      >
        Delete
      </Button>
    </Group>
  )
}

function MakeKey() {
  const client = useQueryClient()
  const [name, setName] = useState('')
  const [token, setToken] = useState(newKey)
  const make = useMutation({
    mutationFn: () => makeKey(name.trim(), token),
    onSuccess: () => {
      setName('')
      setToken(newKey())
      return client.invalidateQueries({ queryKey: ['keys'] })
    },
    onError: (error) => notifyFailure('Could not make a key', error),
  })
  return (
    <>
      {make.data && (
        <Alert color="teal" title={`The key ${make.data.name}, shown this one time`}>
          <Group gap="xs" wrap="nowrap">
            <Code style={{ overflowWrap: 'anywhere' }}>{make.data.key}</Code>
            <Copy value={make.data.key} what="key" />
          </Group>
        </Alert>
      )}
      <form
        onSubmit={(event) => {
          event.preventDefault()
          make.mutate()
        }}
      >
        <Group gap="xs" align="end">
          <TextInput label="New key" placeholder="What it is for" value={name} maxLength={100} onChange={(event) => setName(event.target.value)} />
          <Button type="submit" variant="default" loading={make.isPending} disabled={name.trim() === ''}>
            Make a key
          </Button>
        </Group>
      </form>
    </>
  )
}
