import { isJsonObject, type Json } from '@koco/core'
import type { TimelineEvent } from '@koco/core/api'
import { Alert, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { queueQuery } from '../api/chat.ts'

/** What was said into a turn that is under way and that it has not heard yet: it hears before its next model call, and its timeline says so then. */
export function usePendingSteers(session: string, events: readonly TimelineEvent[]): readonly { readonly id: string; readonly text: string }[] {
  const { data } = useQuery({ ...queueQuery(session), refetchInterval: 5000 })
  const steers = data?.steers ?? []
  if (steers.length === 0) return steers
  const heard = new Set(events.flatMap(heardIn))
  return steers.filter(({ id }) => !heard.has(id))
}

/** The same for the page of the turn's run. */
export function PendingSteers({ session, events }: { readonly session: string; readonly events: readonly TimelineEvent[] }) {
  const steers = usePendingSteers(session, events)
  if (steers.length === 0) return null
  return (
    <Alert color="gray" variant="light" py="xs" role="status" title="Said into this turn, not heard yet">
      {steers.map(({ id, text }) => (
        <Text key={id} size="sm" style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>
          {text}
        </Text>
      ))}
    </Alert>
  )
}

/** The conversation whose turn a run is, by its inputs; undefined for any other run. */
export function sessionOfTurn(inputs: Json): string | undefined {
  const id = isJsonObject(inputs) ? inputs['session_id'] : undefined
  return typeof id === 'string' && /^[0-9a-f]{12}$/.test(id) ? id : undefined
}

function heardIn({ kind, data }: TimelineEvent): readonly string[] {
  if (kind !== 'action' || !isJsonObject(data) || data['name'] !== 'chat.message' || !isJsonObject(data['value'] ?? null)) return []
  const { id } = data['value'] as { readonly id?: Json }
  return typeof id === 'string' ? [id] : []
}
