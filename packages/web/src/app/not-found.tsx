import { Anchor } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { Empty } from './states.tsx'

/** For an address that leads nowhere. */
export function NotFound() {
  return (
    <Empty title="There is no such page">
      <Anchor component={Link} to="/runs">
        Go to the runs
      </Anchor>{' '}
      or{' '}
      <Anchor component={Link} to="/flows">
        to the flows
      </Anchor>
      .
    </Empty>
  )
}
