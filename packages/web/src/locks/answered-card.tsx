import type { Lock } from '@koco/core/api'
import { Card, Group, Stack, Text, Title } from '@mantine/core'
import { JsonBlock } from '../show/json.tsx'
import { Ago } from '../show/time.tsx'
import { AskingRun } from './lock-card.tsx'

/** A question that is answered: by whom, when, why and how. */
export function AnsweredCard({ lock }: { readonly lock: Lock }) {
  return (
    <Card withBorder padding="md" component="section" aria-label={`Answered: ${lock.name}`}>
      <Group justify="space-between" gap="xs" align="baseline">
        <Title order={2}>{lock.name}</Title>
        <Text size="sm">
          <b>{lock.answered_by}</b>
          {lock.answered_at !== null && (
            <>
              , <Ago at={lock.answered_at} />
            </>
          )}
        </Text>
      </Group>
      <Stack gap="xs" mt={4}>
        <AskingRun lock={lock} />
        {lock.reason !== null && (
          <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
            “{lock.reason}”
          </Text>
        )}
        <JsonBlock value={lock.answer} what="answer" />
      </Stack>
    </Card>
  )
}
