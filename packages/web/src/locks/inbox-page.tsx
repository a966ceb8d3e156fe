import { Stack } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { openLocksQuery } from '../api/locks.ts'
import { Page } from '../app/page.tsx'
import { Empty, Failure, Loading } from '../app/states.tsx'
import { LockCard } from './lock-card.tsx'

/** The questions that wait for a person, the most urgent first. */
export function InboxPage() {
  const { data: locks, error, isPending, refetch } = useQuery({ ...openLocksQuery, refetchInterval: 4000 })
  const sorted = locks?.toSorted((a, b) => (a.expires_at ?? Infinity) - (b.expires_at ?? Infinity) || a.asked_at - b.asked_at)
  return (
    <Page title="Approvals" about="Questions of runs that wait for an answer; the most urgent first.">
      {error && <Failure error={error} retry={() => void refetch()} />}
      {isPending && !error && <Loading what="questions" />}
      {sorted?.length === 0 && (
        <Empty title="Nothing waits for you">
          A flow asks by <code>ctx.lock(…)</code>; its questions appear here, on the page of the run, and in <code>koco locks list</code>.
        </Empty>
      )}
      <Stack>
        {sorted?.map((lock) => (
          <LockCard key={`${lock.fid}/${lock.lid}`} lock={lock} withRun />
        ))}
      </Stack>
    </Page>
  )
}
