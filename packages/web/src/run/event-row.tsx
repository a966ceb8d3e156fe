import { Anchor } from '@mantine/core'
import { memo, useMemo, type ReactNode } from 'react'
import { isJsonObject, type ErrorValue, type Json, type TypedValue } from '@koco/core'
import type { TimelineEvent } from '@koco/core/api'
import { contentIn } from '../api/contents.ts'
import { Copy } from '../show/copy.tsx'
import { ErrorValueView } from '../show/error-value.tsx'
import { clock, duration, fullMoment } from '../show/format.ts'
import { JsonBlock } from '../show/json.tsx'
import { useTimeStyle } from '../show/time-style.ts'
import { TypedValueView } from '../show/typed-value.tsx'
import { ForkedFrom, ForkLink } from './fork-link.tsx'
import { LargeResult } from './large-result.tsx'
import { LogLine } from './log-line.tsx'
import { curlOfEvent } from './copy-run.ts'
import { eventLine } from './event-line.ts'
import classes from './timeline.module.css'

type Props = {
  readonly event: TimelineEvent
  /** When the first event happened, in unix seconds. */
  readonly since: number
  readonly open: boolean
  readonly marked: boolean
  readonly newTry: boolean
  readonly toggle: (position: string) => void
  /** Leads to the event's place in the timeline; given where it is shown elsewhere. */
  readonly show?: (position: string) => void
}

/** An event: one line, unfolded by a click. */
export const EventRow = memo(function EventRow({ event, since, open, marked, newTry, toggle, show }: Props) {
  const line = useMemo(() => eventLine(event), [event])
  const utc = useTimeStyle() === 'utc'
  return (
    <div className={classes['row']} data-tone={line.tone} data-marked={marked || undefined} data-try={newTry || undefined}>
      <button type="button" className={classes['line']} data-row aria-expanded={open} onClick={() => toggle(event.position)}>
        <span className={classes['chevron']} data-open={open || undefined} />
        <time className={classes['time']}>{clock(event.ts, utc)}</time>
        <span className={classes['kind']}>{event.kind}</span>
        <span className={classes['text']}>{event.kind === 'stdout' || event.kind === 'stderr' ? <LogLine text={firstLine(event.data)} /> : line.text}</span>
      </button>
      {open && <EventDetail event={event} since={since} {...(show && { show })} />}
    </div>
  )
})

function EventDetail({ event, since, show }: Pick<Props, 'event' | 'since' | 'show'>) {
  return (
    <div className={classes['detail']}>
      <div className={classes['facts']}>
        <span>
          {fullMoment(event.ts).split('\n')[0]}, {duration(event.ts - since)} after the first event
        </span>
        <span>
          {event.position} <Copy value={event.position} what="position" />
        </span>
        {event.step !== null && <span>in step {event.step}</span>}
        {event.kind === 'child' && isJsonObject(event.data) && typeof event.data['fid'] === 'string' && (
          <Anchor href={`/runs/${event.data['fid']}`} size="xs">
            Open that run
          </Anchor>
        )}
        <ForkLink event={event} />
        <ForkedFrom event={event} />
        {show && (
          <Anchor component="button" type="button" size="xs" onClick={() => show(event.position)}>
            Show in the timeline
          </Anchor>
        )}
        <span>
          <Copy value={eventLink(event)} what="link to this event" /> link
        </span>
        <span>
          <Copy value={JSON.stringify(event, null, 2)} what="event as JSON" /> JSON
        </span>
        <span>
          <Copy value={curlOfEvent(event)} what="event as curl" /> curl
        </span>
      </div>
      {body(event)}
    </div>
  )
}

function eventLink(event: TimelineEvent): string {
  return `${location.origin}/runs/${event.fid}?tab=timeline&at=${event.position}`
}

const TYPED: ReadonlySet<string> = new Set(['agent', 'result', 'final', 'warning', 'debug'])

function body(event: TimelineEvent): ReactNode {
  const { data } = event
  if (!isJsonObject(data)) return <JsonBlock value={data} />
  if (TYPED.has(event.kind) && typeof data['type'] === 'string') return <TypedValueView value={data as unknown as TypedValue} size="sm" />
  if (event.kind === 'error') return <ErrorValueView error={data as unknown as ErrorValue} />
  if (event.kind === 'step' && data['phase'] === 'finished') return <StepResult fid={event.fid} data={data} />
  if (event.kind === 'step' && data['phase'] === 'failed') return <ErrorValueView error={data['error'] as unknown as ErrorValue} />
  if (event.kind === 'model' && typeof data['text'] === 'string') return <ModelBody data={data} text={data['text']} />
  if ((event.kind === 'stdout' || event.kind === 'stderr') && typeof data['text'] === 'string') return <LogBody text={data['text']} />
  return <JsonBlock value={data} />
}

function StepResult({ fid, data }: { readonly fid: string; readonly data: { readonly [key: string]: Json } }) {
  const content = contentIn(fid, data)
  return content ? <LargeResult content={content} /> : <JsonBlock value={data['result'] ?? null} what="result" />
}

function ModelBody({ data, text }: { readonly data: { readonly [key: string]: Json }; readonly text: string }) {
  const { text: _text, ...rest } = data
  return (
    <>
      <TypedValueView value={{ type: 'markdown', value: text }} size="sm" />
      <JsonBlock value={rest} />
    </>
  )
}

function LogBody({ text }: { readonly text: string }) {
  return (
    <pre className={classes['log']}>
      {text
        .split('\n')
        .slice(0, 2000)
        .map((line, index) => (
          // Lines of a text that does not change.
          // oxlint-disable-next-line react/no-array-index-key
          <LogLine key={index} text={`${line}\n`} />
        ))}
    </pre>
  )
}

function firstLine(data: Json): string {
  const text = isJsonObject(data) && typeof data['text'] === 'string' ? data['text'] : ''
  const end = text.indexOf('\n')
  return (end < 0 ? text : text.slice(0, end)).slice(0, 400)
}
