import { Anchor, Text } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { Page } from './page.tsx'

/** For an address that leads nowhere. */
export function NotFound() {
  return (
    <Page title="There is no such page">
      <Text>
        The address may be mistyped, or what it led to has another one now. Go to{' '}
        <Anchor component={Link} to="/runs" underline="always">
          the runs
        </Anchor>{' '}
        or{' '}
        <Anchor component={Link} to="/flows" underline="always">
          the flows
        </Anchor>
        .
      </Text>
    </Page>
  )
}
