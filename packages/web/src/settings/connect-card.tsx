import { Button, Card, Group, Text, Title } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { providersQuery } from '../api/session.ts'

/** Accounts elsewhere with which the person may sign in here too. */
export function ConnectCard() {
  const { data } = useQuery(providersQuery)
  if (!data || data.providers.length === 0) return null
  return (
    <Card withBorder padding="lg">
      <Title order={2} mb="sm">
        Other ways to sign in
      </Title>
      <Text size="sm" mb="sm">
        Connect an account that you have there; then you can sign in with it.
      </Text>
      <Group>
        {data.providers.map(({ id, name, start }) => (
          <Button key={id} component="a" href={`${start}?connect=1&next=/settings`} variant="default">
            Connect {name}
          </Button>
        ))}
      </Group>
    </Card>
  )
}
