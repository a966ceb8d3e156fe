import { Button, Card, Group, Text, TextInput } from '@mantine/core'
import { useDebouncedCallback } from '@mantine/hooks'
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useState } from 'react'
import { checkpointsQuery, totalsQuery } from '../api/checkpoints.ts'
import { Icon } from '../app/icons.tsx'
import { Page } from '../app/page.tsx'
import { Empty, Failure, Loading } from '../app/states.tsx'
import { bytes } from '../show/format.ts'
import { Comparison } from './comparison.tsx'
import { CreateDialog } from './create-dialog.tsx'
import { Drawn, Family } from './family.tsx'
import { checkpointsSearch, type CheckpointsSearch } from './search.ts'

/** Copies of sessions: find them, see their branches, compare and merge two, go back to one. */
export function CheckpointsPage() {
  const search = checkpointsSearch(useSearch({ strict: false }))
  const navigate = useNavigate()
  const go = (change: CheckpointsSearch) => void navigate({ to: '/checkpoints', search: change as never })
  const [making, setMaking] = useState(false)
  const { q, session, a, b } = search
  const chosen = [a, b].filter((id) => id !== undefined)
  const choose = (id: string): void => {
    const [first, second] = chosen.includes(id) ? chosen.filter((one) => one !== id) : [...chosen, id].slice(-2)
    go({
      ...(q !== undefined && { q }),
      ...(session !== undefined && { session }),
      ...(first !== undefined && { a: first }),
      ...(second !== undefined && { b: second }),
    })
  }
  const clear = (): void => go({ ...(q !== undefined && { q }), ...(session !== undefined && { session }) })
  return (
    <Page
      title="Checkpoints"
      about={<Totals />}
      actions={
        <Button leftSection={<Icon name="plus" size={16} />} onClick={() => setMaking(true)}>
          Make a checkpoint
        </Button>
      }
    >
      {a !== undefined && b !== undefined && <Comparison a={a} b={b} close={clear} />}
      {chosen.length === 1 && (
        <Text size="sm" c="dimmed" role="status">
          Choose a second one to compare with.
        </Text>
      )}
      {session === undefined ? (
        <Found q={q} chosen={chosen} choose={choose} find={(words) => go(words === '' ? {} : { q: words })} />
      ) : (
        <>
          <Group gap="xs">
            <Text size="sm">Session {session} and all that belongs together with it.</Text>
            <Button size="compact-sm" variant="default" onClick={() => go({})}>
              Show all checkpoints
            </Button>
          </Group>
          <Family session={session} chosen={chosen} choose={choose} />
        </>
      )}
      {making && <CreateDialog session={session} close={() => setMaking(false)} />}
    </Page>
  )
}

function Totals() {
  const { data } = useQuery(totalsQuery)
  if (!data || data.count === 0) return 'Copies of sessions, to go back to.'
  const held = `${data.count === 1 ? '1 copy' : `${data.count} copies`} of sessions, ${bytes(data.bytes)}`
  const ratio = data.stored_bytes === 0 ? 1 : data.bytes / data.stored_bytes
  return ratio < 1.1 ? `${held}.` : `${held} in ${bytes(data.stored_bytes)}: ${ratio.toFixed(1)} to 1, because each content is kept once.`
}

type FoundProps = {
  readonly q: string | undefined
  readonly chosen: readonly string[]
  readonly choose: (id: string) => void
  readonly find: (words: string) => void
}

function Found({ q, chosen, choose, find }: FoundProps) {
  const { data, error, isPending, refetch, hasNextPage, fetchNextPage } = useInfiniteQuery(checkpointsQuery(q))
  const typed = useDebouncedCallback(find, 300)
  const rows = (data?.pages.flatMap((page) => page.items) ?? []).map((checkpoint) => ({ checkpoint, lane: 0, through: [], to: [] }))
  return (
    <>
      <TextInput
        aria-label="Search checkpoints"
        placeholder="Search descriptions, tags, sessions"
        leftSection={<Icon name="search" size={16} />}
        defaultValue={q ?? ''}
        onChange={(event) => typed(event.currentTarget.value.trim())}
      />
      {error && <Failure error={error} retry={() => void refetch()} />}
      {isPending && !error && <Loading what="checkpoints" />}
      {data && rows.length === 0 && (
        <Empty
          title={q === undefined ? 'No checkpoints yet' : 'No checkpoint has these words'}
          {...(q === undefined && { command: 'npx koco checkpoints create <session>' })}
        >
          A checkpoint is a copy of a session: its conversation and the files of its workspace. You can go back to it, or go on from it in another direction.
        </Empty>
      )}
      {rows.length > 0 && (
        <Card withBorder padding="xs">
          <Drawn rows={rows} chosen={chosen} choose={choose} />
        </Card>
      )}
      {hasNextPage && (
        <Button variant="default" onClick={() => void fetchNextPage()} style={{ alignSelf: 'center' }}>
          More
        </Button>
      )}
    </>
  )
}
