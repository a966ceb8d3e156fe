import { Button, Text } from '@mantine/core'
import type { Json } from '@koco/core'
import type { FlowDetail } from '@koco/core/api'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useMemo, useState } from 'react'
import { newKey } from '../api/new-key.ts'
import { startRun } from '../api/runs.ts'
import { meQuery } from '../api/session.ts'
import { Icon } from '../app/icons.tsx'
import { Draft } from '../forms/draft.ts'
import { filesSent } from '../files/pending.ts'
import { SchemaForm } from '../forms/schema-form.tsx'

/** The form of a flow. What was entered survives an error and a reload; sending it twice starts one run. `given`: inputs to begin with. */
export function StartRun({ flow, given }: { readonly flow: FlowDetail; readonly given?: Json }) {
  const { data: me } = useQuery(meQuery)
  const navigate = useNavigate()
  const client = useQueryClient()
  const draft = useMemo(() => new Draft(sessionStorage, `${me?.user.name ?? ''}:${flow.name}`, flow.inputs), [flow, me?.user.name])
  const [value, setValue] = useState<Json>(() => given ?? draft.load() ?? {})
  const [round, setRound] = useState(0)
  const start = useMutation({
    mutationFn: async (inputs: Json) => {
      await filesSent(inputs)
      return startRun(
        flow.name,
        inputs,
        draft.keyFor(inputs, () => newKey()),
      )
    },
    onSuccess: async ({ fid }) => {
      draft.clear()
      void client.invalidateQueries({ queryKey: ['runs'] })
      await navigate({ to: '/runs/$fid', params: { fid } })
    },
  })
  const change = (data: Json) => {
    setValue(data)
    draft.save(data)
  }
  const clear = () => {
    draft.clear()
    setValue({})
    setRound(round + 1)
    start.reset()
  }
  const maySend = me?.user.role !== 'viewer'
  return (
    <>
      {!maySend && (
        <Text c="dimmed" size="sm" mb="sm">
          You may look, but not start runs. Ask an operator for the role “user”.
        </Text>
      )}
      <SchemaForm
        key={round}
        schema={flow.inputs}
        value={value}
        onChange={change}
        onSubmit={(inputs) => !start.isPending && start.mutate(inputs)}
        busy={start.isPending || start.isSuccess}
        error={start.error}
        disabled={!maySend}
        submit={
          <>
            <Icon name="play" size={15} />
            &nbsp;Start run
          </>
        }
        extra={
          <Button variant="subtle" color="gray" onClick={clear} disabled={start.isPending}>
            Clear
          </Button>
        }
      />
    </>
  )
}
