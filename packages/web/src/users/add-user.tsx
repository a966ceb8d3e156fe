import { Alert, Button, Code, Group, Modal, Select, Stack, Text, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { newKey } from '../api/new-key.ts'
import { ApiProblem, messageOf } from '../api/problem.ts'
import { addUser, usersQuery } from '../api/users.ts'
import { Copy } from '../show/copy.tsx'

const EMPTY = { name: '', email: '', role: 'user' }

/** Adds somebody; the password that was made is shown this one time. */
export function AddUser({ opened, close }: { readonly opened: boolean; readonly close: () => void }) {
  const client = useQueryClient()
  const [entered, setEntered] = useState(EMPTY)
  const [key, setKey] = useState(newKey)
  const add = useMutation({
    mutationFn: () => addUser(entered, key),
    onSuccess: () => client.invalidateQueries({ queryKey: usersQuery.queryKey }),
  })
  const leave = () => {
    setEntered(EMPTY)
    setKey(newKey())
    add.reset()
    close()
  }
  const change = (part: Partial<typeof EMPTY>) => {
    setEntered({ ...entered, ...part })
    setKey(newKey())
  }
  const problem = add.error instanceof ApiProblem ? add.error : undefined
  const fault = (name: string) => problem?.fields.find((field) => field.path === `/${name}`)?.message
  return (
    <Modal opened={opened} onClose={leave} title={add.data ? `${add.data.name} may sign in` : 'Add a user'} centered>
      {add.data ? (
        <Made password={add.data.password} leave={leave} />
      ) : (
        <form
          onSubmit={(event) => {
            event.preventDefault()
            add.mutate()
          }}
        >
          <Stack gap="sm">
            {add.error && problem?.fields.length === 0 && <Alert color="red">{messageOf(add.error)}</Alert>}
            <TextInput
              label="Name"
              required
              value={entered.name}
              error={fault('name')}
              onChange={(event) => change({ name: event.target.value })}
              data-autofocus
            />
            <TextInput
              label="Email"
              type="email"
              required
              value={entered.email}
              error={fault('email')}
              onChange={(event) => change({ email: event.target.value })}
            />
            <Select
              label="Role"
              data={['viewer', 'user', 'operator']}
              value={entered.role}
              allowDeselect={false}
              onChange={(role) => change({ role: role ?? 'user' })}
            />
            <Group justify="flex-end">
              <Button variant="default" onClick={leave}>
                Cancel
              </Button>
              <Button type="submit" loading={add.isPending}>
                Add
              </Button>
            </Group>
          </Stack>
        </form>
      )}
    </Modal>
  )
}

function Made({ password, leave }: { readonly password: string; readonly leave: () => void }) {
  return (
    <Stack gap="sm">
      <Text size="sm">Their password, shown this one time:</Text>
      <Group gap="xs">
        <Code fz="md">{password}</Code>
        <Copy value={password} what="password" />
      </Group>
      <Button onClick={leave}>Done</Button>
    </Stack>
  )
}
