import { Card, Flex, Group, Tabs, Text } from '@mantine/core'
import { isEnded } from '@koco/core'
import { useHotkeys, useMediaQuery, type HotkeyItem } from '@mantine/hooks'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { lazy, Suspense, useCallback, useMemo, useState, type ReactNode } from 'react'
import type { WholeRun } from '../api/shapes.ts'
import { useShownTab } from '../app/shown-tab.ts'
import { Empty, Loading } from '../app/states.tsx'
import { count } from '../show/format.ts'
import { JsonBlock } from '../show/json.tsx'
import { TypedValueView } from '../show/typed-value.tsx'
import type { FeedState, RunFeed } from './feed.ts'
import { About } from './about.tsx'
import { EventSearch, EventSearchField } from './event-search.tsx'
import { JumpToTime } from './jump-to-time.tsx'
import { KindFilter } from './kind-filter.tsx'
import { Logs } from './logs.tsx'
import classes from './run-tabs.module.css'
import { RUN_TABS, type RunSearch, type RunTab } from './search.ts'
import { Steps } from './steps.tsx'
import { Timeline } from './timeline.tsx'
import { isImported } from './use-control.ts'

const ReplayTab = lazy(() => import('./replay-tab.tsx').then((module) => ({ default: module.ReplayTab })))
const FilesTab = lazy(() => import('../files/files-tab.tsx').then((module) => ({ default: module.FilesTab })))

/** From here on two views have room side by side. */
const WIDE = '(min-width: 87.5em)'

type Props = { readonly run: WholeRun; readonly feed: RunFeed; readonly state: FeedState }

const LABELS: Readonly<Record<RunTab, string>> = {
  timeline: 'Timeline',
  steps: 'Steps',
  replay: 'Replay',
  result: 'Result',
  files: 'Files',
  logs: 'Logs',
  inputs: 'Inputs',
  about: 'About',
}

/** The views of a run. Without a choice in the URL: the result of a run that was over when the page was opened, else the timeline; what a person looks at never changes by itself. */
export function RunTabs({ run, feed, state }: Props) {
  const search = useSearch({ from: '/signed-in/runs/$fid' })
  const navigate = useNavigate({ from: '/runs/$fid' })
  const [first] = useState<RunTab>(() => (isEnded(run.status) && run.final !== null ? 'result' : 'timeline'))
  // What a URL says that is no tab comes through as it is.
  const tab = RUN_TABS.find((one) => one === search.tab) ?? first
  const list = useShownTab(tab)
  const change = useCallback((next: RunSearch) => void navigate({ search: next, replace: true }), [navigate])
  useHotkeys(RUN_TABS.map((one, index): HotkeyItem => [String(index + 1), () => change({ ...search, tab: one })]))
  const uploads = isImported(run) ? 0 : (feed.log.kinds.get('upload') ?? 0)
  return (
    <Tabs value={tab} onChange={(next) => change({ ...search, tab: next as RunTab })} keepMounted={false}>
      <Tabs.List ref={list} mb="md" style={{ flexWrap: 'nowrap', overflowX: 'auto' }}>
        {RUN_TABS.map((one) => (
          <Tabs.Tab key={one} value={one} rightSection={noteOf(one, feed, uploads, run.final !== null && tab !== 'result')}>
            {LABELS[one]}
          </Tabs.Tab>
        ))}
      </Tabs.List>
      <Tabs.Panel value="timeline">
        <TimelineTab run={run} feed={feed} state={state} search={search} change={change} />
      </Tabs.Panel>
      <Tabs.Panel value="steps">
        <StepsTab run={run} feed={feed} state={state} search={search} change={change} />
      </Tabs.Panel>
      <Tabs.Panel value="replay">
        <Suspense fallback={<Loading what="replay" />}>
          <ReplayTab
            feed={feed}
            version={state.version}
            at={search.at ?? null}
            move={(at) => change(at === null ? { tab: 'replay' } : { tab: 'replay', at })}
            show={(position) => change({ tab: 'timeline', at: position })}
          />
        </Suspense>
      </Tabs.Panel>
      <Tabs.Panel value="result">
        <Result run={run} />
      </Tabs.Panel>
      <Tabs.Panel value="files">
        <Suspense fallback={<Loading what="files" />}>
          <FilesTab run={run} uploads={uploads} />
        </Suspense>
      </Tabs.Panel>
      <Tabs.Panel value="logs">
        <Logs feed={feed} live={!isEnded(run.status)} />
      </Tabs.Panel>
      <Tabs.Panel value="inputs">
        <JsonBlock value={run.inputs} what="inputs" />
      </Tabs.Panel>
      <Tabs.Panel value="about">
        <About run={run} feed={feed} />
      </Tabs.Panel>
    </Tabs>
  )
}

/** How much there is behind a tab, and that there is a result (`given`). */
function noteOf(tab: RunTab, feed: RunFeed, uploads: number, given: boolean): ReactNode {
  const { kinds } = feed.log
  const counts: Partial<Record<RunTab, number>> = { steps: feed.spans.steps, files: uploads, logs: (kinds.get('stdout') ?? 0) + (kinds.get('stderr') ?? 0) }
  const much = counts[tab] ?? 0
  if (much > 0) {
    return (
      <Text span size="xs" c="dimmed">
        {count(much)}
      </Text>
    )
  }
  return tab === 'result' && given ? <Dot /> : null
}

/** The steps, and where there is room the events beside them: a step shows its place there. */
function StepsTab({ run, feed, state, search, change }: TabProps) {
  const isWide = useMediaQuery(WIDE, false, { getInitialValueInEffect: false })
  const live = !isEnded(run.status)
  if (!isWide) return <Steps feed={feed} version={state.version} live={live} show={(position) => change({ tab: 'timeline', at: position })} />
  return (
    <div className={classes['beside']}>
      <div className={classes['side']}>
        <Steps feed={feed} version={state.version} live={live} show={(position) => change({ tab: 'steps', at: position })} />
      </div>
      <section className={classes['sticky']} aria-label="Events beside the steps">
        <Timeline feed={feed} state={state} kinds={null} at={search.at ?? null} follow={search.at === undefined && live} total={run.events} beside />
      </section>
    </div>
  )
}

type TabProps = Props & { readonly search: RunSearch; readonly change: (next: RunSearch) => void }

function TimelineTab({ run, feed, state, search, change }: TabProps) {
  const { kinds } = search
  const chosen = useMemo(() => (kinds === undefined ? null : new Set(kinds.split(','))), [kinds])
  const choose = (next: ReadonlySet<string> | null) => {
    const { kinds: _kinds, ...rest } = search
    change(next === null ? rest : { ...rest, kinds: [...next].join(',') })
  }
  const look = (q: string) => {
    const { q: _q, at: _at, ...rest } = search
    change(q === '' ? rest : { ...rest, q })
  }
  if (search.q !== undefined) {
    const show = (position: string) => change({ tab: 'timeline', at: position })
    return (
      <>
        <EventSearchField value={search.q} onChange={look} />
        <EventSearch fid={run.fid} since={run.created_at} q={search.q} kinds={kinds ?? null} show={show} />
      </>
    )
  }
  return (
    <>
      <Flex justify="space-between" gap="xs" mb="xs" direction={{ base: 'column', sm: 'row' }}>
        <KindFilter counts={feed.log.kinds} chosen={chosen} choose={choose} />
        <Group gap={6} wrap="nowrap">
          <EventSearchField value="" onChange={look} />
          <JumpToTime events={feed.log.events} show={(position) => change({ tab: 'timeline', at: position })} />
        </Group>
      </Flex>
      <Timeline feed={feed} state={state} kinds={chosen} at={search.at ?? null} follow={search.at === undefined && !isEnded(run.status)} total={run.events} />
    </>
  )
}

function Result({ run }: { readonly run: WholeRun }) {
  if (run.final) {
    return (
      <Card withBorder padding="lg">
        <TypedValueView value={run.final} />
      </Card>
    )
  }
  return isEnded(run.status) ? (
    <Empty title="No result">The run ended without one; the timeline says why.</Empty>
  ) : (
    <Empty title="No result yet">It appears here when the run has finished.</Empty>
  )
}

function Dot() {
  return (
    <span
      aria-label="there is a result"
      role="img"
      style={{ display: 'block', width: 7, height: 7, borderRadius: '50%', background: 'var(--mantine-color-teal-filled)' }}
    />
  )
}
