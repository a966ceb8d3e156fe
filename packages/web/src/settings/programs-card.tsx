import { Button, Card, Code, Group, Stack, Text, Title } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { endSignIn, signInsQuery } from '../api/users.ts'
import { notifyFailure } from '../app/notify.ts'
import { Failure } from '../app/states.tsx'
import { Ago } from '../show/time.tsx'
import { browserName } from './browser-name.ts'

/** The programs that are signed in by tokens in the person's name; each can be signed out. */
export function ProgramsCard() {
  const { data: programs = [], error } = useQuery(signInsQuery)
  const client = useQueryClient()
  const end = useMutation({
    mutationFn: endSignIn,
    onError: (failure) => notifyFailure('Could not sign the program out', failure),
    onSettled: () => client.invalidateQueries({ queryKey: signInsQuery.queryKey }),
  })
  return (
    <Card withBorder padding="lg" component="section" aria-label="Programs">
      <Title order={2} mb="sm">
        Programs
      </Title>
      {error && <Failure error={error} />}
      {programs.length === 0 && !error && (
        <Text size="sm" c="dimmed">
          No program is signed in by tokens. <Code>POST /api/auth/token</Code> signs one in.
        </Text>
      )}
      <Stack gap="sm">
        {programs.map((program) => (
          <Group key={program.id} justify="space-between" gap="xs" wrap="nowrap">
            <div style={{ minWidth: 0 }}>
              <Text size="sm" truncate title={program.agent}>
                {browserName(program.agent)}
              </Text>
              <Text size="xs" c="dimmed">
                last used <Ago at={program.used_at} />, since <Ago at={program.created_at} />, ends <Ago at={program.expires_at} />
              </Text>
            </div>
            <Button
              size="xs"
              variant="default"
              style={{ flex: 'none' }}
              loading={end.isPending && end.variables === program.id}
              onClick={() => end.mutate(program.id)}
              aria-label={`Sign ${browserName(program.agent)} out`}
            >
              Sign out
            </Button>
          </Group>
        ))}
      </Stack>
    </Card>
  )
}
