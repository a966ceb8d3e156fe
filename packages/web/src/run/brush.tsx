import { ActionIcon, Button, Group, Tooltip } from '@mantine/core'
import { useMemo, useRef, useState, type KeyboardEvent, type PointerEvent } from 'react'
import { Icon } from '../app/icons.tsx'
import { between, isWhole, moved, WHOLE, zoomed, type Lens } from './lens.ts'
import { overviewOf } from './overview.ts'
import type { Span } from './spans.ts'
import classes from './brush.module.css'
import type { Axis } from './waterfall.ts'

const SLICES = 240
const DRAG_MIN = 0.004

type Props = {
  readonly spans: readonly Span[]
  readonly axis: Axis
  readonly now: number
  readonly lens: Lens
  readonly onChange: (lens: Lens) => void
}

/** The whole run in one line; a person draws over it what to look at closely. By keys: arrows move, + and − zoom, 0 shows all. */
export function Brush({ spans, axis, now, lens, onChange }: Props) {
  const stretches = useMemo(() => overviewOf(spans, axis, now, SLICES), [spans, axis, now])
  const box = useRef<HTMLDivElement>(null)
  const [from, setFrom] = useState<number | null>(null)
  const shareOf = (event: PointerEvent) => {
    const { left, width } = box.current?.getBoundingClientRect() ?? { left: 0, width: 1 }
    return Math.min(1, Math.max(0, (event.clientX - left) / width))
  }
  const drag = (event: PointerEvent) => {
    if (from !== null && Math.abs(shareOf(event) - from) > DRAG_MIN) onChange(between(from, shareOf(event)))
  }
  return (
    <div
      ref={box}
      className={classes['box']}
      role="slider"
      tabIndex={0}
      aria-label="Stretch of time that is shown"
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(lens.from * 100)}
      aria-valuetext={isWhole(lens) ? 'all of it' : `${Math.round(lens.from * 100)} to ${Math.round(lens.to * 100)} percent`}
      onKeyDown={(event) => byKey(event, lens, onChange)}
      onPointerDown={(event) => {
        box.current?.setPointerCapture(event.pointerId)
        setFrom(shareOf(event))
      }}
      onPointerMove={drag}
      onPointerUp={() => setFrom(null)}
      onPointerCancel={() => setFrom(null)}
      onDoubleClick={() => onChange(WHOLE)}
    >
      {stretches.map(({ left, width, what }) => (
        <span key={left} className={classes['stretch']} data-what={what} style={{ left: `${left * 100}%`, width: `${width * 100}%` }} />
      ))}
      {!isWhole(lens) && <span className={classes['lens']} style={{ left: `${lens.from * 100}%`, width: `${(lens.to - lens.from) * 100}%` }} />}
    </div>
  )
}

/** The same by buttons. */
export function ZoomButtons({ lens, onChange }: Pick<Props, 'lens' | 'onChange'>) {
  return (
    <Group gap={4} wrap="nowrap">
      <Tooltip label="Closer">
        <ActionIcon variant="default" aria-label="Closer" onClick={() => onChange(zoomed(lens, 0.5))}>
          <Icon name="plus" size={14} />
        </ActionIcon>
      </Tooltip>
      <Tooltip label="Wider">
        <ActionIcon variant="default" aria-label="Wider" disabled={isWhole(lens)} onClick={() => onChange(zoomed(lens, 2))}>
          <Icon name="minus" size={14} />
        </ActionIcon>
      </Tooltip>
      <Button variant="default" size="compact-sm" disabled={isWhole(lens)} onClick={() => onChange(WHOLE)}>
        All
      </Button>
    </Group>
  )
}

const KEYS: Readonly<Record<string, (lens: Lens) => Lens>> = {
  ArrowLeft: (lens) => moved(lens, -0.25),
  ArrowRight: (lens) => moved(lens, 0.25),
  '+': (lens) => zoomed(lens, 0.5),
  '=': (lens) => zoomed(lens, 0.5),
  '-': (lens) => zoomed(lens, 2),
  '0': () => WHOLE,
}

function byKey(event: KeyboardEvent, lens: Lens, onChange: (lens: Lens) => void): void {
  const change = KEYS[event.key]
  if (!change || event.ctrlKey || event.metaKey) return
  event.preventDefault()
  onChange(change(lens))
}
