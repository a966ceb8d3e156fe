import { ActionIcon, Card, Group, Stack, Text, Title, Tooltip } from '@mantine/core'
import { useDebouncedCallback, useHotkeys } from '@mantine/hooks'
import type { TimelineEvent } from '@koco/core/api'
import { useEffect, useMemo, useRef, useState, type ReactNode } from 'react'
import { Icon, type IconName } from '../app/icons.tsx'
import { Empty } from '../app/states.tsx'
import { clock, compact, cost, count, duration } from '../show/format.ts'
import { StatusBadge } from '../show/status.tsx'
import { useTimeStyle } from '../show/time-style.ts'
import { TypedValueView } from '../show/typed-value.tsx'
import { EventRow } from './event-row.tsx'
import { eventLine } from './event-line.ts'
import type { RunFeed } from './feed.ts'
import { nextTelling, stripOf, type Mark } from './replay-marks.ts'
import { indexAt, Replay, type ReplayState } from './replay-state.ts'
import classes from './replay.module.css'
import frame from './timeline.module.css'
import { Scrubber } from './scrubber.tsx'

const MARKS_MAX = 240
const URL_MS = 200
const PLAY_MS = 120
/** How long playing a whole run takes at most, in ticks. */
const PLAY_TICKS = 160
const NAMES_SHOWN = 3

type Props = {
  readonly feed: RunFeed
  readonly version: number
  /** The position that the URL names; null: the newest. */
  readonly at: string | null
  readonly move: (at: string | null) => void
  /** Leads to the event's place in the timeline. */
  readonly show: (position: string) => void
}

/** A run as it stood at any of its events: a person goes to and fro along them, or lets it play. Where one stands is in the URL; at its end it follows what comes. */
export function ReplayTab({ feed, version, at, move, show }: Props) {
  const { events } = feed.log
  const [replay] = useState(() => new Replay())
  // oxlint-disable-next-line react-hooks/exhaustive-deps -- `version` stands for the content of the feed
  const strip = useMemo(() => stripOf(events, MARKS_MAX), [feed, version])
  const [index, go] = useIndex(events, at, move)
  const [playing, play] = usePlay(index, events.length, go)
  const telling = (by: 1 | -1) => go(nextTelling(events, index, by))
  useHotkeys([
    ['j', () => go(Math.min(events.length - 1, index + 1))],
    ['k', () => go(Math.max(0, index - 1))],
    ['l', () => telling(1)],
    ['h', () => telling(-1)],
    ['p', () => play(!playing)],
  ])
  const event = events[index]
  if (!event) return <Empty title="No events yet">As soon as the run has some, it can be looked at as it stood at each of them.</Empty>
  const since = events[0]?.ts ?? event.ts
  const state = replay.at(events, index)
  return (
    <Stack gap="sm">
      <Group justify="space-between" gap="xs">
        <Moment event={event} since={since} index={index} total={events.length} />
        <Group gap={4} wrap="nowrap">
          <Step icon="chevron" back label="Back to the moment that mattered before (H)" onClick={() => telling(-1)} />
          <Step icon={playing ? 'pause' : 'play'} label={playing ? 'Stop playing (P)' : 'Play (P)'} onClick={() => play(!playing)} />
          <Step icon="chevron" label="On to the next moment that matters (L)" onClick={() => telling(1)} />
        </Group>
      </Group>
      <Scrubber index={index} count={events.length} strip={strip} words={wordsOf(event, since, index, events.length)} onChange={go} onTelling={telling} />
      <Legend />
      <Card withBorder padding="sm" component="section" aria-label="How the run stood">
        <Figures state={state} />
      </Card>
      <div className={classes['below']}>
        <Card withBorder padding={0} component="section" aria-label="The event">
          <div className={frame['frame']} style={{ border: 0 }}>
            <EventRow key={event.position} event={event} since={since} open marked={false} newTry={false} toggle={show} show={show} />
          </div>
        </Card>
        <Card withBorder padding="sm" component="section" aria-label="Output so far">
          <Title order={2} fz="sm" mb="xs">
            Output so far{state.outputs > 1 && ` (the newest of ${count(state.outputs)})`}
          </Title>
          {state.output ? (
            <TypedValueView value={state.output} size="sm" />
          ) : (
            <Text size="sm" c="dimmed">
              None up to here.
            </Text>
          )}
        </Card>
      </div>
      {feed.log.dropped > 0 && (
        <Text size="xs" c="dimmed" role="status">
          The first {count(feed.log.dropped)} events are not held by this page: what is counted begins after them.
        </Text>
      )}
    </Stack>
  )
}

/** Where one stands. It moves at once; the URL follows when a person rests. */
function useIndex(events: readonly TimelineEvent[], at: string | null, move: (at: string | null) => void): readonly [number, (index: number) => void] {
  const [chosen, choose] = useState(at)
  const [seen, see] = useState(at)
  const [sent, setSent] = useState(at)
  // Back and forward change the URL from outside; what comes back of one's own may be older than where one stands.
  if (at !== seen) {
    see(at)
    if (at !== sent) choose(at)
  }
  const tell = useDebouncedCallback((position: string | null) => {
    setSent(position)
    move(position)
  }, URL_MS)
  const newest = events.length - 1
  const index = chosen === null ? newest : Math.min(newest, Math.max(0, indexAt(events, chosen)))
  const go = (next: number) => {
    const position = next >= newest ? null : (events[next]?.position ?? null)
    choose(position)
    tell(position)
  }
  return [index, go]
}

/** Goes on by itself until the end, from the beginning when it stands there already. */
function usePlay(index: number, total: number, go: (index: number) => void): readonly [boolean, (playing: boolean) => void] {
  const [playing, setPlaying] = useState(false)
  const latest = useRef({ index, total, go })
  useEffect(() => {
    latest.current = { index, total, go }
  })
  useEffect(() => {
    if (!playing) return undefined
    const timer = setInterval(() => {
      const now = latest.current
      const next = now.index + Math.max(1, Math.round(now.total / PLAY_TICKS))
      now.go(Math.min(now.total - 1, next))
      if (next >= now.total - 1) setPlaying(false)
    }, PLAY_MS)
    return () => clearInterval(timer)
  }, [playing])
  const play = (on: boolean) => {
    if (on && index >= total - 1) go(0)
    setPlaying(on)
  }
  return [playing, play]
}

function Moment({ event, since, index, total }: { readonly event: TimelineEvent; readonly since: number; readonly index: number; readonly total: number }) {
  const utc = useTimeStyle() === 'utc'
  return (
    <Text size="sm" style={{ fontVariantNumeric: 'tabular-nums' }}>
      Event {count(index + 1)} of {count(total)}
      <Text span size="sm" c="dimmed">
        {' '}
        · {clock(event.ts, utc)} · {duration(event.ts - since)} after the first
      </Text>
    </Text>
  )
}

function wordsOf(event: TimelineEvent, since: number, index: number, total: number): string {
  return `event ${index + 1} of ${total}, ${duration(event.ts - since)} after the first: ${event.kind} ${eventLine(event).text}`.slice(0, 300)
}

function Step({
  icon,
  label,
  back = false,
  onClick,
}: {
  readonly icon: IconName
  readonly label: string
  readonly back?: boolean
  readonly onClick: () => void
}) {
  return (
    <Tooltip label={label}>
      <ActionIcon variant="default" size={30} aria-label={label} onClick={onClick} style={back ? { transform: 'scaleX(-1)' } : undefined}>
        <Icon name={icon} size={15} />
      </ActionIcon>
    </Tooltip>
  )
}

function Figures({ state }: { readonly state: ReplayState }) {
  const { running, failed, locks } = state
  return (
    <dl className={classes['figures']}>
      <Figure name="Status">
        <StatusBadge status={state.status} size="sm" />
      </Figure>
      {state.attempt > 1 && <Figure name="Try">{state.attempt}</Figure>}
      <Figure name="Steps done">
        {count(state.done)}
        {failed.size > 0 && `, ${count(failed.size)} failed`}
      </Figure>
      <Figure name="At work on">{running.size === 0 ? '–' : namesOf(running)}</Figure>
      <Figure name="Open questions">{locks.size === 0 ? '–' : namesOf(locks)}</Figure>
      <Figure name="Model calls">
        {count(state.calls)}
        {state.calls > 0 && ` · ${compact(state.tokens)} tokens · ${state.cost === null ? 'cost not known' : cost(state.cost)}`}
      </Figure>
      <Figure name="Files">{count(state.files)}</Figure>
      <Figure name="Warnings">{count(state.warnings)}</Figure>
    </dl>
  )
}

function namesOf(names: ReadonlyMap<string, string>): string {
  const shown = [...names.values()].slice(0, NAMES_SHOWN).join(', ')
  return names.size > NAMES_SHOWN ? `${shown} and ${names.size - NAMES_SHOWN} more` : shown
}

function Figure({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return (
    <div className={classes['figure']}>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}

const LEGEND: readonly (readonly [Mark, string])[] = [
  ['step', 'step done'],
  ['given', 'output'],
  ['ask', 'question'],
  ['bad', 'failure'],
]

function Legend() {
  return (
    <div className={classes['legend']}>
      {LEGEND.map(([mark, words]) => (
        <span key={mark}>
          <i className={`${classes['mark']} ${classes['swatch']}`} data-mark={mark} /> {words}
        </span>
      ))}
    </div>
  )
}
