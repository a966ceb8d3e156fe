import { Avatar, Menu, Text, UnstyledButton, useMantineColorScheme } from '@mantine/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { logout, meQuery } from '../api/session.ts'
import { Icon } from './icons.tsx'
import { notifyFailure } from './notify.ts'

/** Who is signed in, the colour scheme, the way out. */
export function AccountMenu() {
  const { data: me } = useQuery(meQuery)
  const client = useQueryClient()
  const navigate = useNavigate()
  const { toggleColorScheme } = useMantineColorScheme()
  if (!me) return null
  const initials = me.user.name.slice(0, 2).toUpperCase()
  const leave = async () => {
    try {
      await logout(client)
      await navigate({ to: '/login' })
    } catch (error) {
      notifyFailure('Could not sign out', error)
    }
  }
  return (
    <Menu position="bottom-end" width={220} withArrow>
      <Menu.Target>
        <UnstyledButton aria-label={`${initials}, account ${me.user.name}`}>
          <Avatar name={me.user.name} color="initials" radius="xl" size={32}>
            {initials}
          </Avatar>
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          <Text size="sm" fw={600} c="var(--mantine-color-text)" truncate>
            {me.user.name}
          </Text>
          {me.user.email} · {me.user.role}
        </Menu.Label>
        <Menu.Item leftSection={<Icon name="sun" size={16} />} onClick={toggleColorScheme} closeMenuOnClick={false}>
          Light or dark
        </Menu.Item>
        <Menu.Item leftSection={<Icon name="settings" size={16} />} onClick={() => void navigate({ to: '/settings' })}>
          Settings
        </Menu.Item>
        {me.auth !== 'off' && (
          <Menu.Item leftSection={<Icon name="logout" size={16} />} onClick={() => void leave()}>
            Sign out
          </Menu.Item>
        )}
      </Menu.Dropdown>
    </Menu>
  )
}
