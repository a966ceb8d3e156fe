import type { KeptContent } from '@koco/core/api'
import { Card, Group, Stack, Text, Title } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { contentTotalsQuery } from '../api/contents.ts'
import { bytes, count } from '../show/format.ts'

const NAMES = { results: ['Large results of steps', 'named'], files: ['Large files of runs', 'held'], checkpoints: ['Checkpoints', 'made'] } as const

/** What the content store holds, and how much less is kept than is named: equal content is kept once, and compressed. */
export function ContentCard() {
  const { data } = useQuery(contentTotalsQuery)
  return (
    <Card withBorder padding="lg">
      <Title order={2} mb="sm">
        Content store
      </Title>
      {data && (
        <Stack gap="sm">
          <Kept of="results" kept={data.results} />
          <Kept of="files" kept={data.files} />
          <Kept of="checkpoints" kept={data.checkpoints} />
        </Stack>
      )}
    </Card>
  )
}

function Kept({ of, kept }: { readonly of: keyof typeof NAMES; readonly kept: KeptContent }) {
  const [name, verb] = NAMES[of]
  return (
    <div>
      <Group justify="space-between" wrap="nowrap">
        <Text size="sm">{name}</Text>
        <Text size="sm" ff="monospace" title="bytes named for each byte kept">
          {ratio(kept)}
        </Text>
      </Group>
      <Text size="xs" c="dimmed">
        {kept.count === 0 ? `None ${verb} yet.` : `${count(kept.count)} ${verb}, ${bytes(kept.bytes)} together; ${bytes(kept.stored_bytes)} kept.`}
      </Text>
    </div>
  )
}

function ratio({ bytes: named, stored_bytes: stored }: KeptContent): string {
  return stored === 0 ? '' : `${(named / stored).toFixed(1)} : 1`
}
