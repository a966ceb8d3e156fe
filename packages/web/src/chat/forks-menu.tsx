import { Button, Menu, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { forksQuery } from '../api/chat.ts'
import { Icon } from '../app/icons.tsx'
import { Ago } from '../show/time.tsx'
import { forksOf } from './forks.ts'

/** The tree of forks that a talk belongs to; nothing for one that has no relatives. */
export function ForksMenu({ id }: { readonly id: string }) {
  const { data: sessions = [] } = useQuery(forksQuery)
  const forks = forksOf(id, sessions)
  if (forks.length < 2) return null
  return (
    <Menu position="bottom-end" withArrow width={340} styles={{ itemLabel: { minWidth: 0, overflow: 'hidden' } }}>
      <Menu.Target>
        <Button size="xs" variant="default" leftSection={<Icon name="flow" size={14} />} aria-label={`Forks: ${forks.length} talks in this tree`}>
          {forks.length}
        </Button>
      </Menu.Target>
      <Menu.Dropdown mah={420} style={{ overflowY: 'auto' }}>
        <Menu.Label>Forks</Menu.Label>
        {forks.map(({ session, depth }) => (
          <Menu.Item
            key={session.session_id}
            component={Link}
            to="/chat/$id"
            params={{ id: session.session_id } as never}
            aria-current={session.session_id === id ? 'page' : undefined}
            fw={session.session_id === id ? 650 : undefined}
            pl={12 + depth * 18}
          >
            <Text inherit truncate>
              {depth > 0 && '└ '}
              {session.title}
            </Text>
            <Text size="xs" c="dimmed">
              {session.message_count} messages, <Ago at={session.updated_at} />
            </Text>
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  )
}
