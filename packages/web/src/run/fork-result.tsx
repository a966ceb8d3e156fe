import { Textarea } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { stepResultQuery } from '../api/forks.ts'
import { Failure, Loading } from '../app/states.tsx'

type Props = {
  readonly fid: string
  readonly step: { readonly id: string; readonly at: string }
  /** What was typed; undefined: nothing yet. */
  readonly text: string | undefined
  readonly isBroken: boolean
  readonly change: (text: string) => void
}

/** Another result of a finished step, in the place of what it gave. */
export function ForkResult({ fid, step, text, isBroken, change }: Props) {
  const { data, error, refetch, isSuccess } = useQuery(stepResultQuery(fid, step.at))
  if (error) return <Failure error={error} retry={() => void refetch()} />
  if (!isSuccess) return <Loading what="the result" />
  return (
    <Textarea
      aria-label={`Result of ${step.id}`}
      value={text ?? JSON.stringify(data, null, 2)}
      onChange={(event) => change(event.currentTarget.value)}
      error={isBroken ? 'This is no JSON.' : undefined}
      autosize
      minRows={2}
      maxRows={10}
      styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }}
    />
  )
}
