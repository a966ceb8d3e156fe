import type { Me } from '@koco/core/api'
import { Anchor, Card, SegmentedControl, Stack, Text, Title, useMantineColorScheme } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { meQuery } from '../api/session.ts'
import { KeyTable } from '../app/key-table.tsx'
import { setTimeStyle, useTimeStyle } from '../show/time-style.ts'
import { Page } from '../app/page.tsx'
import { ConnectCard } from './connect-card.tsx'
import { KeysCard } from './keys-card.tsx'
import { ProgramsCard } from './programs-card.tsx'
import { SessionsCard } from './sessions-card.tsx'

/** How the page looks on this device, who is signed in, and the keys. */
export function SettingsPage() {
  const { colorScheme, setColorScheme } = useMantineColorScheme()
  const times = useTimeStyle()
  const { data: me } = useQuery(meQuery)
  return (
    <Page title="Settings">
      <Stack maw={720}>
        <Card withBorder padding="lg">
          <Title order={2} mb="sm">
            Look
          </Title>
          <SegmentedControl
            aria-label="Colour scheme"
            value={colorScheme}
            onChange={(value) => setColorScheme(value)}
            data={[
              { value: 'light', label: 'Light' },
              { value: 'dark', label: 'Dark' },
              { value: 'auto', label: 'As the system' },
            ]}
          />
          <Text size="sm" c="dimmed" mt="md" mb={6}>
            Times
          </Text>
          <SegmentedControl
            aria-label="Times"
            value={times}
            onChange={(value) => setTimeStyle(value)}
            data={[
              { value: 'relative', label: '4 min ago' },
              { value: 'local', label: 'Your zone' },
              { value: 'utc', label: 'UTC' },
            ]}
          />
        </Card>
        {me && <AccountCard me={me} />}
        {me?.auth === 'on' && <SessionsCard />}
        {me?.auth === 'on' && <ConnectCard />}
        <KeysCard />
        {me?.auth === 'on' && <ProgramsCard />}
        <Card withBorder padding="lg">
          <Title order={2} mb="sm">
            Keyboard
          </Title>
          <KeyTable keysWidth={{ base: '40%', sm: 280 }} />
        </Card>
      </Stack>
    </Page>
  )
}

function AccountCard({ me }: { readonly me: Me }) {
  return (
    <Card withBorder padding="lg">
      <Title order={2} mb="sm">
        Account
      </Title>
      <Text>
        Signed in as <b>{me.user.name}</b> ({me.user.email}), role {me.user.role}.
      </Text>
      <Text size="sm" c="dimmed" mt={4}>
        The API is described at{' '}
        <Anchor href="/docs" underline="always">
          /docs
        </Anchor>{' '}
        (version {me.version}).
        {me.user.role !== 'viewer' && (
          <>
            {' '}
            Other programs can be told of runs and questions:{' '}
            <Anchor component={Link} to="/webhooks" underline="always" inherit>
              webhooks
            </Anchor>
            .
          </>
        )}
      </Text>
    </Card>
  )
}
