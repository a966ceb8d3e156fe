import type { User } from '@koco/core/api'
import { Badge, Button, Card, Group, Menu, Table, Text } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { meQuery } from '../api/session.ts'
import { changeUser, usersQuery } from '../api/users.ts'
import { notifyDone, notifyFailure } from '../app/notify.ts'
import { OperatorsOnly } from '../app/operators-only.tsx'
import { Page } from '../app/page.tsx'
import { Failure, Loading } from '../app/states.tsx'
import { Ago } from '../show/time.tsx'
import { RowTable } from '../show/wide-table.tsx'
import { AddUser } from './add-user.tsx'

/** The people who may sign in; for operators. */
export function UsersPage() {
  return (
    <OperatorsOnly title="Users">
      <UsersView />
    </OperatorsOnly>
  )
}

function UsersView() {
  const { data: users, error, refetch } = useQuery(usersQuery)
  const [adding, setAdding] = useState(false)
  return (
    <Page
      title="Users"
      about="A viewer looks at their own runs, a user also starts and steers them, an operator sees and does everything."
      actions={<Button onClick={() => setAdding(true)}>Add a user</Button>}
    >
      {error && <Failure error={error} retry={() => void refetch()} />}
      {!users && !error && <Loading what="users" />}
      {users && (
        <Card withBorder padding="xs">
          <RowTable label="Users" minWidth={560} heads={['Name', 'Email', 'Role', 'Added', '']}>
            {users.map((user) => (
              <UserRow key={user.id} user={user} />
            ))}
          </RowTable>
        </Card>
      )}
      <AddUser opened={adding} close={() => setAdding(false)} />
    </Page>
  )
}

const ROLES = ['viewer', 'user', 'operator'] as const

function UserRow({ user }: { readonly user: User }) {
  const { data: me } = useQuery(meQuery)
  const client = useQueryClient()
  const change = useMutation({
    mutationFn: (what: Partial<Pick<User, 'role' | 'active'>>) => changeUser(user.id, what),
    onSuccess: () => notifyDone(`${user.name} is changed. Where rights changed, they sign in again.`),
    onError: (error) => notifyFailure(`Could not change ${user.name}`, error),
    onSettled: () => client.invalidateQueries({ queryKey: usersQuery.queryKey }),
  })
  const myself = me?.user.name === user.name
  return (
    <Table.Tr>
      <Table.Td fw={550}>{user.name}</Table.Td>
      <Table.Td>{user.email}</Table.Td>
      <Table.Td>
        <Group gap={6} wrap="nowrap">
          {user.role}
          {!user.active && (
            <Badge color="gray" size="sm" tt="none">
              may not sign in
            </Badge>
          )}
        </Group>
      </Table.Td>
      <Table.Td>
        <Ago at={user.created_at} fz="inherit" />
      </Table.Td>
      <Table.Td ta="right">
        {myself ? (
          <Text size="xs" c="dimmed">
            you
          </Text>
        ) : (
          <Menu position="bottom-end" withArrow>
            <Menu.Target>
              <Button size="xs" variant="default" loading={change.isPending} aria-label={`Change ${user.name}`}>
                Change
              </Button>
            </Menu.Target>
            <Menu.Dropdown>
              <Menu.Label>Role</Menu.Label>
              {ROLES.map((role) => (
                <Menu.Item key={role} disabled={role === user.role} onClick={() => change.mutate({ role })}>
                  {role}
                </Menu.Item>
              ))}
              <Menu.Divider />
              <Menu.Item color={user.active ? 'red' : undefined} onClick={() => change.mutate({ active: !user.active })}>
                {user.active ? 'Deactivate: ends their sessions at once' : 'May sign in again'}
              </Menu.Item>
            </Menu.Dropdown>
          </Menu>
        )}
      </Table.Td>
    </Table.Tr>
  )
}
