import { Badge, Button, Card, Group, Stack, Text, Title } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { endSession, sessionsQuery } from '../api/users.ts'
import { notifyFailure } from '../app/notify.ts'
import { Failure } from '../app/states.tsx'
import { Ago } from '../show/time.tsx'
import { browserName } from './browser-name.ts'

/** Where the person is signed in; each can be ended. */
export function SessionsCard() {
  const { data: sessions = [], error } = useQuery(sessionsQuery)
  const client = useQueryClient()
  const end = useMutation({
    mutationFn: endSession,
    onError: (failure) => notifyFailure('Could not end the session', failure),
    onSettled: () => client.invalidateQueries({ queryKey: sessionsQuery.queryKey }),
  })
  return (
    <Card withBorder padding="lg">
      <Title order={2} mb="sm">
        Signed in
      </Title>
      {error && <Failure error={error} />}
      <Stack gap="sm">
        {sessions.map((session) => (
          <Group key={session.id} justify="space-between" gap="xs" wrap="nowrap">
            <div>
              <Text size="sm">
                {browserName(session.agent)}{' '}
                {session.current && (
                  <Badge size="sm" tt="none" variant="light" color="teal">
                    this one
                  </Badge>
                )}
              </Text>
              <Text size="xs" c="dimmed">
                last seen <Ago at={session.seen_at} />, since <Ago at={session.created_at} />
              </Text>
            </div>
            {!session.current && (
              <Button
                size="xs"
                variant="default"
                style={{ flex: 'none' }}
                loading={end.isPending && end.variables === session.id}
                onClick={() => end.mutate(session.id)}
              >
                Sign out
              </Button>
            )}
          </Group>
        ))}
      </Stack>
    </Card>
  )
}
