/** A duration as people say it: `85 ms`, `1.2 s`, `3 min 4 s`, `2 h 5 min`, `3 d 4 h`. Negative counts as zero. */
export function duration(seconds: number): string {
  const s = Math.max(0, seconds)
  if (s < 0.9995) return `${Math.round(s * 1000)} ms`
  if (s < 9.95) return `${s.toFixed(1)} s`
  if (s < 59.5) return `${Math.round(s)} s`
  return pairOf(Math.round(s))
}

/** A running time that ticks once a second, without tenths: `0 s`, `59 s`, `3 min 4 s`. */
export function ticking(seconds: number): string {
  const s = Math.max(0, Math.floor(seconds))
  return s < 60 ? `${s} s` : pairOf(s)
}

function pairOf(s: number): string {
  if (s < 3600) return pair(Math.floor(s / 60), 'min', s % 60, 's')
  if (s < 86_400) return pair(Math.floor(s / 3600), 'h', Math.floor((s % 3600) / 60), 'min')
  return pair(Math.floor(s / 86_400), 'd', Math.floor((s % 86_400) / 3600), 'h')
}

function pair(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`
}

/** How far a moment is from now: `just now`, `4 min ago`, `in 2 h`. Both in unix seconds. */
export function relative(at: number, now: number): string {
  const distance = Math.abs(now - at)
  if (distance < 5) return 'just now'
  const text = distance < 60 ? `${Math.floor(distance)} s` : coarse(distance)
  return at > now ? `in ${text}` : `${text} ago`
}

function coarse(s: number): string {
  if (s < 3600) return `${Math.floor(s / 60)} min`
  if (s < 86_400) return `${Math.floor(s / 3600)} h`
  return `${Math.floor(s / 86_400)} d`
}

/** A count with separators: `12,345`. */
export function count(value: number): string {
  return COUNT.format(value)
}

/** A count in few characters: `950`, `12.3k`, `1.2M`. */
export function compact(value: number): string {
  return COMPACT.format(value).replace('K', 'k')
}

/** A cost in dollars: `$0.0042`, `$1.30`. */
export function cost(dollars: number): string {
  return `$${dollars >= 1 || dollars === 0 ? dollars.toFixed(2) : dollars.toPrecision(2)}`
}

/** A size: `430 B`, `1.2 kB`, `3.4 MB`. */
export function bytes(size: number): string {
  if (size < 1000) return `${size} B`
  return size < 1_000_000 ? `${(size / 1000).toFixed(1)} kB` : `${(size / 1_000_000).toFixed(1)} MB`
}

/** Date and time, short, in the person's own zone or in UTC: `2026-11-25 14:03 UTC`. */
export function moment(at: number, utc = false): string {
  const date = new Date(at * 1000)
  return utc ? `${date.toISOString().slice(0, 16).replace('T', ' ')} UTC` : MOMENT.format(date)
}

/** The clock of an event to the millisecond, in the person's own zone or in UTC: `14:03:21.482`. */
export function clock(at: number, utc = false): string {
  const date = new Date(at * 1000)
  if (utc) return date.toISOString().slice(11, 23)
  const two = (value: number) => String(value).padStart(2, '0')
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${String(date.getMilliseconds()).padStart(3, '0')}`
}

// Made once: a formatter costs a hundred times what its use costs.
const FULL = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'long' })
const MOMENT = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' })
const COMPACT = new Intl.NumberFormat('en-US', { notation: 'compact', maximumFractionDigits: 1 })
const COUNT = new Intl.NumberFormat('en-US')

/** The full moment for a tooltip: local and UTC. */
export function fullMoment(at: number): string {
  const date = new Date(at * 1000)
  return `${FULL.format(date)}\n${date.toISOString()}`
}

/** How a run stands whose tries end with the death of their process: `Resting until 14:03:21, its process died 3 times`. Undefined for any other. */
export function restingWords(run: { readonly deaths: number; readonly wake_at: number | null }, utc = false): string | undefined {
  if (run.deaths === 0 || run.wake_at === null) return undefined
  return `Resting until ${clock(run.wake_at, utc).slice(0, 8)}, its process died ${run.deaths} ${run.deaths === 1 ? 'time' : 'times'} in a row`
}

/** A run by its flow and its inputs in short: what tells it apart from others. */
export function runName(run: { readonly flow: string; readonly about: string }): string {
  return run.about === '' ? run.flow : `${run.flow} ${run.about}`
}
