import { Anchor, Badge, Group, Stack, Text } from '@mantine/core'
import { isJsonObject, type Json } from '@koco/core'
import { Link } from '@tanstack/react-router'
import { Icon, type IconName } from '../app/icons.tsx'
import { ErrorValueView } from '../show/error-value.tsx'
import { clock, compact, cost, duration } from '../show/format.ts'
import { JsonBlock } from '../show/json.tsx'
import { useTimeStyle } from '../show/time-style.ts'
import { TypedValueView } from '../show/typed-value.tsx'
import type { Fold } from './folding.ts'
import { LargeResult } from './large-result.tsx'
import type { Lens } from './lens.ts'
import type { Row } from './nesting.ts'
import { spanOutcome, type Span } from './spans.ts'
import classes from './steps.module.css'
import { barsOf, type Axis } from './waterfall.ts'

type Props = {
  readonly row: Row
  readonly axis: Axis
  readonly now: number
  readonly lens: Lens
  readonly open: boolean
  readonly fold: Fold
  readonly show: (position: string) => void
}

const WORDS = { running: 'at work', finished: 'finished', failed: 'failed', interrupted: 'interrupted', waiting: 'waiting' } as const
const ICONS: Partial<Record<Row['span']['kind'], IconName>> = {
  lock: 'lock',
  child: 'flow',
  sleep: 'clock',
  pause: 'pause',
  model: 'spark',
  tool: 'wrench',
  group: 'layers',
}

/** A step, a call, a wait or a group: name, bars on the time axis, duration; unfolded: result, error, how to get there. */
export function StepRow({ row, axis, now, lens, open, fold, show }: Props) {
  const { span, earlier, depth } = row
  const outcome = earlier?.outcome ?? (span.kind === 'group' ? (span.end === null ? 'running' : 'finished') : spanOutcome(span))
  const tries = span.kind === 'step' && !earlier ? span.tries.length : 1
  const icon = ICONS[span.kind]
  // A group has nothing to tell but what is in it.
  const unfolds = span.kind === 'group' ? 'kids' : 'details'
  const name = earlier ? `try ${earlier.number}` : span.name || span.kind
  return (
    <div className={classes['row']} data-outcome={outcome} data-earlier={earlier !== undefined || undefined}>
      <div className={classes['line']}>
        <span className={classes['name']} style={{ paddingLeft: depth * 16 }}>
          {row.folds > 0 ? (
            <button
              type="button"
              className={classes['chevron']}
              data-open={!row.folded || undefined}
              aria-expanded={!row.folded}
              aria-label={`${row.folded ? 'Unfold' : 'Fold'} what is in ${name}`}
              onClick={() => fold('kids', row.key)}
            >
              <Icon name="chevron" size={12} />
            </button>
          ) : (
            <span className={classes['chevron']} />
          )}
          {icon && <Icon name={icon} size={13} />}
          <button
            type="button"
            className={classes['label']}
            data-row
            title={name}
            aria-expanded={span.kind === 'group' ? !row.folded : open}
            onClick={() => fold(unfolds, row.key)}
          >
            {name}
          </button>
          {tries > 1 && (
            <Badge
              component="button"
              type="button"
              size="xs"
              variant="light"
              color="orange"
              tt="none"
              onClick={() => fold('tries', row.key)}
              className={classes['tries'] ?? ''}
            >
              {tries} tries
            </Badge>
          )}
        </span>
        <span className={classes['axis']} aria-hidden onClick={() => fold(unfolds, row.key)}>
          {barsOf(row, axis, now, lens).map((bar, index) => (
            // The tries of a step only grow.
            // oxlint-disable-next-line react/no-array-index-key
            <span
              key={index}
              className={classes['bar']}
              data-outcome={bar.outcome}
              data-kind={span.kind}
              data-past={!bar.counts || undefined}
              style={{ left: `${bar.left * 100}%`, width: `max(3px, ${bar.width * 100}%)` }}
            />
          ))}
        </span>
        <span className={classes['duration']}>{lengthOf(row, now)}</span>
        <span className={classes['outcome']}>{WORDS[outcome]}</span>
      </div>
      {open && span.kind !== 'group' && <SpanDetail span={span} row={row} show={show} />}
    </div>
  )
}

function lengthOf({ span, earlier }: Row, now: number): string {
  if (earlier) return duration((earlier.end ?? now) - earlier.start)
  if (span.kind !== 'group' && span.durationS !== null) return duration(span.durationS)
  return span.end === null ? duration(now - span.start) : duration(span.end - span.start)
}

function SpanDetail({ span, row, show }: { readonly span: Span; readonly row: Row; readonly show: Props['show'] }) {
  const one = row.earlier ?? span.tries.at(-1)
  const { start, end } = row.earlier ?? span
  const utc = useTimeStyle() === 'utc'
  return (
    <Stack gap="xs" className={classes['detail']} style={{ paddingLeft: 30 + row.depth * 16 }}>
      <Group gap="md">
        <Text size="xs" c="dimmed">
          {clock(start, utc)}
          {end !== null && ` to ${clock(end, utc)}`}
          {span.id.startsWith('step:') && ` · ${span.id.slice('step:'.length)}`}
        </Text>
        {!row.earlier && (
          <Anchor component="button" type="button" size="xs" onClick={() => show(span.position)}>
            Show in the timeline
          </Anchor>
        )}
        {span.kind === 'child' && <ChildLink span={span} />}
      </Group>
      {one?.error && <ErrorValueView error={one.error} />}
      {!row.earlier && span.content && <LargeResult content={span.content} />}
      {!row.earlier && span.result !== undefined && span.result !== null && <SpanResult span={span} result={span.result} />}
    </Stack>
  )
}

function SpanResult({ span, result }: { readonly span: Span; readonly result: Json }) {
  if (span.kind !== 'model' || !isJsonObject(result)) return <JsonBlock value={result} what="result" />
  const { text, tokens, cost: price, provider } = result
  const sum = isJsonObject(tokens) ? Object.entries(tokens).filter(([, value]) => Number(value) > 0) : []
  return (
    <>
      <Text size="xs" c="dimmed">
        {[
          typeof provider === 'string' ? provider : '',
          ...sum.map(([name, value]) => `${compact(Number(value))} ${name.replaceAll('_', ' ')}`),
          ...(typeof price === 'number' ? [cost(price)] : []),
        ].join(' · ')}
      </Text>
      {typeof text === 'string' && <TypedValueView value={{ type: 'markdown', value: text }} size="sm" />}
    </>
  )
}

function ChildLink({ span }: { readonly span: Span }) {
  const fid = isJsonObject(span.result ?? null) ? (span.result as { readonly [key: string]: Json })['fid'] : undefined
  if (typeof fid !== 'string') return null
  return (
    <Anchor component={Link} to="/runs/$fid" params={{ fid } as never} size="xs">
      Open that run
    </Anchor>
  )
}
