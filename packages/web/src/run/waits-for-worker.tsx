import { Alert } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { flowQuery } from '../api/flows.ts'
import { Ago } from '../show/time.tsx'

/** Says of a run that is not over why nothing happens while no process serves its flow; nothing else. */
export function WaitsForWorker({ flow: name }: { readonly flow: string }) {
  const { data: flow } = useQuery({ ...flowQuery(name), refetchInterval: ({ state }) => (state.data?.live === false ? 3000 : 20_000) })
  if (flow?.live !== false) return null
  const seen = Math.max(0, ...flow.workers.map((worker) => worker.seen_at))
  return (
    <Alert color="yellow" variant="light" py="xs" role="status" title="Waiting for a worker">
      No process serves “{name}” now
      {seen > 0 && (
        <>
          ; the last was heard of <Ago at={seen} />
        </>
      )}
      . Nothing is lost: the run goes on as soon as one does. Start one with <code>koco temporal-worker</code>.
    </Alert>
  )
}
