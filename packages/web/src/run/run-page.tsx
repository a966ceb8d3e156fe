import { Alert, Button, Stack } from '@mantine/core'
import { isEnded } from '@koco/core'
import { useQuery } from '@tanstack/react-query'
import { Link, useParams } from '@tanstack/react-router'
import { useEffect } from 'react'
import { runQuery } from '../api/runs.ts'
import { meQuery } from '../api/session.ts'
import type { WholeRun } from '../api/shapes.ts'
import { runName } from '../show/format.ts'
import { usePageTitle } from '../app/page.tsx'
import { Failure, Loading } from '../app/states.tsx'
import { LockCard } from '../locks/lock-card.tsx'
import { ErrorValueView } from '../show/error-value.tsx'
import { STATUS_LOOK } from '../show/status.tsx'
import { Resting } from './resting.tsx'
import { RunHeader } from './run-header.tsx'
import { RunTabs } from './run-tabs.tsx'
import { PendingSteers, sessionOfTurn } from '../chat/pending-steers.tsx'
import { WaitsForWorker } from './waits-for-worker.tsx'
import { isImported } from './use-control.ts'
import { useRunFeed } from './use-run-feed.ts'

/** A run: its header, the questions that it asks, and its timeline, steps, result, logs and inputs. */
export function RunPage() {
  const { fid } = useParams({ from: '/signed-in/runs/$fid' })
  const query = useQuery({ ...runQuery(fid), refetchInterval: ({ state }) => (state.data && isEnded(state.data.status) ? 30_000 : 10_000) })
  if (query.error && !query.data) {
    return (
      <Stack gap="md">
        <Failure error={query.error} retry={() => void query.refetch()} />
        <Button component={Link} to="/runs" variant="default" size="xs" w="fit-content">
          All runs
        </Button>
      </Stack>
    )
  }
  if (!query.data) return <Loading what="run" />
  return <RunView key={fid} run={query.data} />
}

function RunView({ run }: { readonly run: WholeRun }) {
  const { feed, state } = useRunFeed(run.fid)
  usePageTitle(`${STATUS_LOOK[run.status].label}: ${runName(run)}`)
  // Somebody started the run again, here or elsewhere: the feed that saw its end goes on.
  useEffect(() => {
    if (state.phase === 'ended' && !isEnded(run.status)) feed.open()
  }, [feed, state.phase, run.status])
  const { data: me } = useQuery(meQuery)
  // A talk is its owner's alone.
  const session = isEnded(run.status) || isImported(run) || me?.user.name !== run.user ? undefined : sessionOfTurn(run.inputs)
  const open = run.locks.filter((lock) => lock.status === 'open' && !isEnded(run.status))
  return (
    <Stack gap="md">
      <RunHeader run={run} eventCount={Math.max(run.events, feed.log.events.length + feed.log.dropped)} state={state} last={feed.log.last} />
      {open.map((lock) => (
        <LockCard key={lock.lid} lock={lock} />
      ))}
      {session !== undefined && <PendingSteers session={session} events={feed.log.events} />}
      {isImported(run) && (
        <Alert color="gray" variant="light" py="xs">
          This run was read from a file: it can be looked at, exported and archived, nothing else. “About” says where it was run.
        </Alert>
      )}
      {!isEnded(run.status) && !isImported(run) && <WaitsForWorker flow={run.flow} />}
      <Resting run={run} />
      {run.error && isEnded(run.status) && <ErrorValueView error={run.error} />}
      {state.phase === 'failed' && state.problem && <Failure error={state.problem} title="The timeline could not be read" retry={() => feed.open()} />}
      {state.notices.slice(-2).map((notice) => (
        <Alert key={notice.id} color={notice.kind === 'gap' ? 'orange' : 'yellow'} variant="light" py="xs" role="status">
          {notice.text}
        </Alert>
      ))}
      <RunTabs run={run} feed={feed} state={state} />
    </Stack>
  )
}
