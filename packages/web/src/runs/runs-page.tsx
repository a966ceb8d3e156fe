import { Button } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useCallback, useMemo, useRef } from 'react'
import { flowsQuery } from '../api/flows.ts'
import { Page } from '../app/page.tsx'
import { Empty, Failure, Loading } from '../app/states.tsx'
import { StreamLight } from '../live/stream-light.tsx'
import { RunFilters } from './run-filters.tsx'
import { RunTable } from './run-table.tsx'
import classes from './runs-page.module.css'
import { filterOf, type RunsSearch } from './search.ts'
import { useLiveRuns } from './use-live-runs.ts'

/** All runs, newest first, live; filtered by what the URL says. */
export function RunsPage() {
  const search = useSearch({ from: '/signed-in/runs' })
  const navigate = useNavigate({ from: '/runs' })
  const filter = useMemo(() => filterOf(search), [search])
  const reading = useRef(false)
  // New rows may come in by themselves only at the top of the list, with nobody pointing into it.
  const still = useCallback(() => window.scrollY < 8 && !reading.current, [])
  const { query, rows, fresh, missed, show, stream } = useLiveRuns(filter, still)
  const setSearch = useCallback((next: RunsSearch) => void navigate({ search: next, replace: true }), [navigate])
  const filtered = Object.keys(search).length > 0
  const news = missed ? 'The list has changed' : `${fresh.length} new ${fresh.length === 1 ? 'run' : 'runs'}`
  const showNews = () => {
    window.scrollTo({ top: 0 })
    show()
  }
  return (
    <Page title="Runs" actions={<StreamLight phase={stream} what="The list updates itself." />}>
      <RunFilters search={search} onChange={setSearch} />
      {query.error && <Failure error={query.error} retry={() => void query.refetch()} />}
      {query.isPending && !query.error && <Loading what="runs" />}
      {query.data && rows.length === 0 && <NoRuns filtered={filtered} clear={() => setSearch({})} />}
      {(fresh.length > 0 || missed) && (
        <div className={classes['news']}>
          <Button size="xs" radius="xl" onClick={showNews}>
            {news}: show
          </Button>
        </div>
      )}
      {rows.length > 0 && (
        <div
          onPointerEnter={() => (reading.current = true)}
          onPointerLeave={() => (reading.current = false)}
          onFocus={() => (reading.current = true)}
          onBlur={() => (reading.current = false)}
        >
          <RunTable rows={rows} more={query.hasNextPage} loading={query.isFetchingNextPage} loadMore={() => void query.fetchNextPage()} />
        </div>
      )}
    </Page>
  )
}

function NoRuns({ filtered, clear }: { readonly filtered: boolean; readonly clear: () => void }) {
  const { data: flows } = useQuery(flowsQuery)
  if (!filtered) {
    return (
      <Empty title="No runs yet" command={`koco run ${flows?.[0]?.name ?? 'hello'} --follow`}>
        Start one from a flow’s page, or with this command:
      </Empty>
    )
  }
  return (
    <Empty title="No run matches">
      <Button variant="default" size="xs" mt="xs" onClick={clear}>
        Clear the filters
      </Button>
    </Empty>
  )
}
