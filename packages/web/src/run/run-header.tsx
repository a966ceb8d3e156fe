import { Anchor, Breadcrumbs, Group, Progress, Stack, Text, Title } from '@mantine/core'
import { comparePositions, isEnded, ORIGIN, parsePosition } from '@koco/core'
import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import type { WholeRun } from '../api/shapes.ts'
import { StreamLight } from '../live/stream-light.tsx'
import { Copy } from '../show/copy.tsx'
import { compact, cost, count } from '../show/format.ts'
import { ONE_LINE } from '../show/one-line.ts'
import { StatusBadge } from '../show/status.tsx'
import { Ago, Runtime } from '../show/time.tsx'
import type { FeedState } from './feed.ts'
import { RunActions } from './run-actions.tsx'
import classes from './run-header.module.css'

type Props = { readonly run: WholeRun; readonly eventCount: number; readonly state: FeedState; readonly last: string | undefined }

/** What a run is, how it stands, and what a person can ask of it. */
export function RunHeader({ run, eventCount, state, last }: Props) {
  return (
    <Stack gap="xs">
      <Group justify="space-between" wrap="nowrap">
        <Breadcrumbs fz="sm" styles={ONE_LINE}>
          <Anchor component={Link} to="/runs">
            Runs
          </Anchor>
          <Group gap={4} wrap="nowrap" miw={0}>
            <Text size="sm" c="dimmed" ff="monospace" truncate>
              {run.fid}
            </Text>
            <Copy value={run.fid} what="id" />
          </Group>
        </Breadcrumbs>
        <StreamLight phase={state.phase} behind={isBehind(state.tail, last)} />
      </Group>
      <Group justify="space-between" align="flex-start" gap="sm">
        <Group gap="sm" className={classes['title']}>
          <Title order={1} className={classes['name']}>
            {run.flow} {run.about !== '' && <span className={classes['about']}>{run.about}</span>}
          </Title>
          <StatusBadge status={run.status} size="lg" />
        </Group>
        <RunActions run={run} />
      </Group>
      {run.summary !== '' && (
        <Text c="dimmed" size="sm" className={classes['name']}>
          {run.summary}
        </Text>
      )}
      <Facts run={run} eventCount={eventCount} heard={state.phase !== 'reconnecting' && state.phase !== 'failed'} />
      {run.progress && !isEnded(run.status) && <RunProgress progress={run.progress} />}
    </Stack>
  )
}

/** True when the newest position that the server has told of is later than the last event here. */
function isBehind(tail: string | null, last: string | undefined): boolean {
  const newest = parsePosition(tail ?? '')
  return newest !== undefined && comparePositions(newest, parsePosition(last ?? '') ?? ORIGIN) > 0
}

/** `heard`: the server is heard of; else the clock stands still, for nobody knows whether the run goes on. */
function Facts({ run, eventCount, heard }: Omit<Props, 'state' | 'last'> & { readonly heard: boolean }) {
  const running = heard && !isEnded(run.status) && run.started_at !== null
  const { usage } = run
  const tokens = usage && usage.input_uncached + usage.cache_read + usage.cache_write + usage.output + usage.reasoning
  return (
    <dl className={classes['facts']}>
      <Fact name="Flow">
        <Anchor component={Link} to="/flows/$name" params={{ name: run.flow } as never} size="sm">
          {run.flow}
        </Anchor>
        {run.version !== null && ` v${run.version}`}
      </Fact>
      <Fact name="By">{run.user}</Fact>
      <Fact name="Started">
        <Ago at={run.started_at ?? run.created_at} fz="inherit" />
      </Fact>
      <Fact name="Runtime">
        <Runtime seconds={run.runtime_s} asOf={run.read_at} running={running} />
      </Fact>
      <Fact name="Events">{count(eventCount)}</Fact>
      {run.attempt > 1 && <Fact name="Tries">{run.attempt}</Fact>}
      {usage && tokens !== null && (
        <Fact name="Model calls">
          {count(usage.calls)} · {compact(tokens)} tokens{usage.cost !== null && ` · ${cost(usage.cost)}`}
        </Fact>
      )}
      {run.parent !== null && (
        <Fact name="Started by run">
          <Anchor component={Link} to="/runs/$fid" params={{ fid: run.parent } as never} size="sm">
            {run.parent.slice(-8)}
          </Anchor>
        </Fact>
      )}
      {run.children > 0 && (
        <Fact name="Runs started">
          <Anchor component={Link} to="/runs/$fid" params={{ fid: run.fid } as never} search={{ tab: 'about' } as never} size="sm">
            {count(run.children)}
          </Anchor>
        </Fact>
      )}
      {run.temporal_url !== null && (
        <Fact name="In Temporal">
          <Anchor href={run.temporal_url} target="_blank" rel="noopener noreferrer" size="sm">
            workflow
          </Anchor>
        </Fact>
      )}
      {run.wake_at !== null && !isEnded(run.status) && (
        <Fact name={run.deaths > 0 ? 'Next try' : run.locks.some(({ status }) => status === 'open') ? 'Answer due' : 'Wakes'}>
          <Ago at={run.wake_at} fz="inherit" />
        </Fact>
      )}
    </dl>
  )
}

function Fact({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return (
    <div className={classes['fact']}>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}

function RunProgress({ progress }: { readonly progress: NonNullable<WholeRun['progress']> }) {
  const share = progress.total === null || progress.total === 0 ? null : Math.min(100, (progress.done / progress.total) * 100)
  return (
    <Group gap="sm" wrap="nowrap" maw={640}>
      {share !== null && <Progress value={share} flex={1} size="sm" aria-label="Progress" />}
      <Text size="xs" c="dimmed" truncate>
        {progress.text !== undefined && `${progress.text} · `}
        {progress.total === null ? count(progress.done) : `${count(progress.done)} of ${count(progress.total)}`}
      </Text>
    </Group>
  )
}
