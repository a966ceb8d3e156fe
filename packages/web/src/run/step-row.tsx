import { Badge, Stack, Text } from '@mantine/core'
import { Icon } from '../app/icons.tsx'
import { ErrorValueView } from '../show/error-value.tsx'
import { clock, duration } from '../show/format.ts'
import { JsonBlock } from '../show/json.tsx'
import { spanOutcome, type Span, type StepTry } from './spans.ts'
import classes from './steps.module.css'
import { barsOf, type Axis } from './waterfall.ts'

type Props = { readonly span: Span; readonly axis: Axis; readonly now: number; readonly open: boolean; readonly toggle: (id: string) => void }

const WORDS = { running: 'at work', finished: 'finished', failed: 'failed', interrupted: 'interrupted', waiting: 'waiting' } as const

/** A step or a wait: name, bars on the time axis, duration; unfolded: result, error, tries. */
export function StepRow({ span, axis, now, open, toggle }: Props) {
  const outcome = spanOutcome(span)
  const tries = span.tries.length
  return (
    <div className={classes['row']} data-outcome={outcome}>
      <button type="button" className={classes['line']} aria-expanded={open} onClick={() => toggle(span.id)}>
        <span className={classes['chevron']} data-open={open || undefined}>
          <Icon name="chevron" size={12} />
        </span>
        <span className={classes['name']}>
          <KindIcon kind={span.kind} />
          <span className={classes['label']} title={span.name}>
            {span.name}
          </span>
          {tries > 1 && (
            <Badge size="xs" variant="light" color="orange" tt="none">
              {tries} tries
            </Badge>
          )}
        </span>
        <span className={classes['axis']} aria-hidden>
          {barsOf(span, axis, now).map((bar, index) => (
            // The tries of a step only grow.
            // oxlint-disable-next-line react/no-array-index-key
            <span
              key={index}
              className={classes['bar']}
              data-outcome={bar.outcome}
              style={{ left: `${bar.left * 100}%`, width: `max(3px, ${bar.width * 100}%)` }}
            />
          ))}
        </span>
        <span className={classes['duration']}>
          {span.durationS === null ? (span.end === null ? duration(now - span.start) : '') : duration(span.durationS)}
        </span>
        <span className={classes['outcome']}>{WORDS[outcome]}</span>
      </button>
      {open && <SpanDetail span={span} />}
    </div>
  )
}

function KindIcon({ kind }: { readonly kind: Span['kind'] }) {
  if (kind === 'lock') return <Icon name="lock" size={13} />
  if (kind === 'child') return <Icon name="flow" size={13} />
  if (kind === 'sleep') return <Icon name="clock" size={13} />
  return kind === 'pause' ? <Icon name="pause" size={13} /> : null
}

function SpanDetail({ span }: { readonly span: Span }) {
  const last = span.tries.at(-1)
  return (
    <Stack gap="xs" className={classes['detail']}>
      <Text size="xs" c="dimmed">
        {clock(span.start)}
        {span.end !== null && ` to ${clock(span.end)}`} · {span.id.slice(span.id.indexOf(':') + 1)}
      </Text>
      {last?.error && <ErrorValueView error={last.error} />}
      {span.result !== undefined && <JsonBlock value={span.result} what="result" />}
      {span.tries.length > 1 && <EarlierTries tries={span.tries.slice(0, -1)} />}
    </Stack>
  )
}

function EarlierTries({ tries }: { readonly tries: readonly StepTry[] }) {
  return (
    <details>
      <summary className={classes['summary']}>{tries.length === 1 ? 'One earlier try' : `${tries.length} earlier tries`}</summary>
      <Stack gap={4} mt={6}>
        {tries.map((one) => (
          <Text key={`${one.epoch}-${one.number}-${one.start}`} size="xs">
            {clock(one.start)}: {WORDS[one.outcome]} after {duration((one.end ?? one.start) - one.start)}
            {one.error && `: ${one.error.name}: ${one.error.message}`}
          </Text>
        ))}
      </Stack>
    </details>
  )
}
