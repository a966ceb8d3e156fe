import { Button, Group, Menu } from '@mantine/core'
import { useHotkeys } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useCallback, useMemo, useRef, useState, type ReactNode } from 'react'
import { flowsQuery } from '../api/flows.ts'
import { runsFile, type RunFilter } from '../api/runs.ts'
import { meQuery } from '../api/session.ts'
import { Page } from '../app/page.tsx'
import { Empty, Failure, Loading } from '../app/states.tsx'
import { StreamLight } from '../live/stream-light.tsx'
import { BulkBar } from './bulk-bar.tsx'
import { RunFilters } from './run-filters.tsx'
import { RunTable } from './run-table.tsx'
import classes from './runs-page.module.css'
import { filterOf, type RunsSearch } from './search.ts'
import { useChoice } from './use-choice.ts'
import { useImport } from './use-import.ts'
import { useLiveRuns } from './use-live-runs.ts'
import { useColumns, ViewsMenu } from './views-menu.tsx'

/** All runs, newest first, live; filtered by what the URL says. */
export function RunsPage() {
  const search = useSearch({ from: '/signed-in/runs' })
  const navigate = useNavigate({ from: '/runs' })
  const { data: me } = useQuery(meQuery)
  const user = me?.user.name ?? ''
  const [now, setNow] = useState(() => Date.now() / 1000)
  const filter = useMemo(() => filterOf(search, now), [search, now])
  const reading = useRef(false)
  const onReading = useCallback((now: boolean) => void (reading.current = now), [])
  const { chosen, all, choose, set } = useChoice()
  const choosing = chosen !== null
  // New rows may come in by themselves only at the top of the list, with nobody pointing into it or choosing.
  const still = useCallback(() => window.scrollY < 8 && !reading.current && !choosing, [choosing])
  const { query, rows, fresh, missed, show, stream } = useLiveRuns(filter, still)
  const [columns] = useColumns(user)
  const setSearch = useCallback(
    (next: RunsSearch) => {
      if (choosing) set([])
      setNow(Date.now() / 1000)
      void navigate({ search: next, replace: true })
    },
    [navigate, choosing, set],
  )
  const pick = useImport()
  useHotkeys([
    ['r', () => void query.refetch()],
    ['Escape', () => choosing && set(null)],
  ])
  const filtered = Object.keys(search).length > 0
  const mayChange = me !== undefined && me !== null && me.user.role !== 'viewer'
  const actions = (
    <Group gap="xs">
      {mayChange && !choosing && rows.length > 0 && <SmallButton label="Choose" onClick={() => set([])} />}
      {rows.length > 0 && <ExportMenu filter={filter} />}
      {mayChange && <SmallButton label="Import" onClick={pick} visibleFrom="sm" />}
      <ViewsMenu user={user} mayShare={mayChange} search={search} show={setSearch} />
      <StreamLight phase={stream} what="The list updates itself." />
    </Group>
  )
  return (
    <Page title="Runs" actions={actions}>
      <RunFilters search={search} onChange={setSearch} />
      {choosing && <BulkBar filter={filter} rows={rows} chosen={chosen} all={all} more={query.hasNextPage} choose={set} />}
      {query.error && <Failure error={query.error} retry={() => void query.refetch()} />}
      {query.isPending && !query.error && <Loading what="runs" />}
      {query.data && rows.length === 0 && <NoRuns filtered={filtered} clear={() => setSearch({})} />}
      {(fresh.length > 0 || missed) && <News fresh={fresh.length} missed={missed} show={show} />}
      {rows.length > 0 && (
        <ReadingArea onReading={onReading}>
          <RunTable
            rows={rows}
            columns={columns}
            chosen={chosen}
            choose={choose}
            more={query.hasNextPage}
            loading={query.isFetchingNextPage}
            loadMore={() => void query.fetchNextPage()}
          />
        </ReadingArea>
      )}
    </Page>
  )
}

/** The list, as the filter shows it, as a file. */
function ExportMenu({ filter }: { readonly filter: RunFilter }) {
  return (
    <Menu position="bottom-end" withArrow>
      <Menu.Target>
        <Button variant="default" size="xs" visibleFrom="sm">
          Export
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>All runs that match, newest first</Menu.Label>
        <Menu.Item component="a" href={runsFile(filter, 'csv')} download>
          Table (CSV)
        </Menu.Item>
        <Menu.Item component="a" href={runsFile(filter, 'jsonl')} download>
          JSON lines
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
}

function SmallButton({ label, ...props }: { readonly label: string; readonly onClick: () => void; readonly visibleFrom?: 'sm' }) {
  return (
    <Button variant="default" size="xs" {...props}>
      {label}
    </Button>
  )
}

/** Runs that came while somebody was reading; they are let in when asked for. */
function News({ fresh, missed, show }: { readonly fresh: number; readonly missed: boolean; readonly show: () => void }) {
  const showNews = () => {
    window.scrollTo({ top: 0 })
    show()
  }
  return (
    <div className={classes['news']}>
      <Button size="xs" radius="xl" onClick={showNews}>
        {missed ? 'The list has changed' : `${fresh} new ${fresh === 1 ? 'run' : 'runs'}`}: show
      </Button>
    </div>
  )
}

/** Notes whether somebody points into the list or stands in it with the keyboard. */
function ReadingArea({ onReading, children }: { readonly onReading: (reading: boolean) => void; readonly children: ReactNode }) {
  return (
    <div onPointerEnter={() => onReading(true)} onPointerLeave={() => onReading(false)} onFocus={() => onReading(true)} onBlur={() => onReading(false)}>
      {children}
    </div>
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
