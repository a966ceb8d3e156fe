import { NativeSelect } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { autoQuery, setAuto } from '../api/checkpoints.ts'
import { notifyFailure } from '../app/notify.ts'
import { duration } from '../show/format.ts'

const OFF = 'off'
const CHOICES_S = [60, 300, 900, 3600] as const

/** Whether checkpoints of a session are made by the clock, and how often. Nothing for a session that is gone. */
export function AutoChoice({ session }: { readonly session: string }) {
  const { data } = useQuery({ ...autoQuery(session), retry: false })
  const client = useQueryClient()
  const change = useMutation({
    mutationFn: (value: string) => setAuto(session, value === OFF ? null : Number(value)),
    onSuccess: (now) => client.setQueryData(autoQuery(session).queryKey, now),
    onError: (error) => notifyFailure('Automatic checkpoints could not be changed', error),
  })
  if (!data) return null
  const known = data.interval_s === null || CHOICES_S.some((seconds) => seconds === data.interval_s) ? [] : [data.interval_s]
  return (
    <NativeSelect
      size="xs"
      aria-label="Automatic checkpoints"
      value={data.interval_s ?? OFF}
      disabled={change.isPending}
      onChange={({ currentTarget }) => change.mutate(currentTarget.value)}
      data={[
        { value: OFF, label: 'No automatic checkpoints' },
        ...[...CHOICES_S, ...known].map((seconds) => ({ value: String(seconds), label: `One every ${duration(seconds)} while it changes` })),
      ]}
    />
  )
}
