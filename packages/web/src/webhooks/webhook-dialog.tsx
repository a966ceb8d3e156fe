import { Alert, Button, Checkbox, Group, Modal, MultiSelect, Select, Stack, TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { flowsQuery } from '../api/flows.ts'
import { newKey } from '../api/new-key.ts'
import { messageOf } from '../api/problem.ts'
import { makeWebhook, webhooksQuery, type NewWebhook, type WithSecret } from '../api/webhooks.ts'
import { choosable } from './events.ts'

const FRESH: NewWebhook = { url: '', events: ['run.error', 'question.waiting'], flow: null, bodies: false }

/** Makes a webhook; hands it on with the secret that is shown this one time. */
export function WebhookDialog({
  isOperator,
  made,
  close,
}: {
  readonly isOperator: boolean
  readonly made: (webhook: WithSecret) => void
  readonly close: () => void
}) {
  const client = useQueryClient()
  const [entered, setEntered] = useState<NewWebhook>(FRESH)
  const [token, setToken] = useState(newKey)
  const save = useMutation({
    mutationFn: () => makeWebhook({ ...entered, url: entered.url.trim() }, token),
    onSuccess: (webhook) => {
      void client.invalidateQueries({ queryKey: webhooksQuery.queryKey })
      made(webhook)
      close()
    },
    // What was refused is another request when it is mended.
    onError: () => setToken(newKey()),
  })
  return (
    <Modal opened onClose={close} title="Add a webhook" centered>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          save.mutate()
        }}
      >
        <Stack gap="sm">
          {save.error && <Alert color="red">{messageOf(save.error)}</Alert>}
          <Fields isOperator={isOperator} entered={entered} change={(part) => setEntered({ ...entered, ...part })} />
          <Group justify="flex-end" mt="xs">
            <Button variant="default" onClick={close}>
              Cancel
            </Button>
            <Button type="submit" loading={save.isPending} disabled={entered.events.length === 0}>
              Add
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}

type FieldsProps = { readonly isOperator: boolean; readonly entered: NewWebhook; readonly change: (part: Partial<NewWebhook>) => void }

function Fields({ isOperator, entered, change }: FieldsProps) {
  const { data: flows = [] } = useQuery(flowsQuery)
  return (
    <>
      <TextInput
        label="Address"
        type="url"
        placeholder="https://example.com/koco"
        required
        value={entered.url}
        onChange={(event) => change({ url: event.target.value })}
        data-autofocus
      />
      <MultiSelect
        label="Told of"
        required
        searchable
        hidePickedOptions
        value={[...entered.events]}
        onChange={(events) => change({ events })}
        data={choosable(isOperator)}
      />
      <Select
        label={isOperator ? 'Runs of the flow' : 'My runs of the flow'}
        placeholder="Every flow"
        clearable
        searchable
        value={entered.flow}
        onChange={(flow) => change({ flow })}
        data={flows.map(({ name }) => name)}
      />
      <Checkbox
        label="Send inputs and results along"
        description="Else only ids, states and links."
        checked={entered.bodies}
        onChange={(event) => change({ bodies: event.currentTarget.checked })}
      />
    </>
  )
}
