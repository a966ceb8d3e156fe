import type { KeyboardEvent, PointerEvent } from 'react'
import { useRef } from 'react'
import type { Mark } from './replay-marks.ts'
import classes from './replay.module.css'

type Props = {
  /** The index of the event that is looked at, and how many there are. */
  readonly index: number
  readonly count: number
  readonly strip: readonly Mark[]
  /** What stands at the index, for who cannot see it. */
  readonly words: string
  readonly onChange: (index: number) => void
  /** To the next moment that matters, or back. */
  readonly onTelling: (by: 1 | -1) => void
}

/** All events of a run in one line, in which a person goes to and fro. By keys: arrows move by one, with Shift to the next moment that matters, PageUp and PageDown by a tenth, Home and End to the ends. */
export function Scrubber({ index, count, strip, words, onChange, onTelling }: Props) {
  const box = useRef<HTMLDivElement>(null)
  const to = (next: number) => onChange(Math.min(count - 1, Math.max(0, next)))
  const toPointer = (event: PointerEvent) => {
    const { left, width } = box.current?.getBoundingClientRect() ?? { left: 0, width: 1 }
    to(Math.floor(((event.clientX - left) / width) * count))
  }
  const byKey = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return
    const tenth = Math.max(1, Math.round(count / 10))
    const moves: Readonly<Record<string, () => void>> = {
      ArrowLeft: () => (event.shiftKey ? onTelling(-1) : to(index - 1)),
      ArrowRight: () => (event.shiftKey ? onTelling(1) : to(index + 1)),
      PageDown: () => to(index - tenth),
      PageUp: () => to(index + tenth),
      Home: () => to(0),
      End: () => to(count - 1),
    }
    const move = moves[event.key]
    if (!move) return
    event.preventDefault()
    move()
  }
  return (
    <div
      ref={box}
      className={classes['scrubber']}
      role="slider"
      tabIndex={0}
      aria-label="Event that is looked at"
      aria-valuemin={1}
      aria-valuemax={count}
      aria-valuenow={index + 1}
      aria-valuetext={words}
      onKeyDown={byKey}
      onPointerDown={(event) => {
        box.current?.setPointerCapture(event.pointerId)
        toPointer(event)
      }}
      onPointerMove={(event) => event.buttons > 0 && toPointer(event)}
    >
      {strip.map((mark, part) => (
        // Parts of a line: their place is what they are.
        // oxlint-disable-next-line react/no-array-index-key
        <span key={part} className={classes['mark']} data-mark={mark} style={{ left: `${(part / strip.length) * 100}%`, width: `${100 / strip.length}%` }} />
      ))}
      <span className={classes['needle']} style={{ left: `${((index + 0.5) / count) * 100}%` }} />
    </div>
  )
}
