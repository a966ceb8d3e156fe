import { Text, type TextProps } from '@mantine/core'
import { duration, fullMoment, moment, relative, ticking } from './format.ts'
import { useNow } from './now.ts'
import { useTimeStyle } from './time-style.ts'

/** A moment as a person wants to read it, mostly as its distance from now; the full moment on hover. */
export function Ago({ at, ...props }: { readonly at: number } & TextProps) {
  const now = useNow(Math.abs(useNow(15) - at) < 90 ? 1 : 15)
  const style = useTimeStyle()
  return (
    <Text component="time" inherit {...props} title={fullMoment(at)} {...{ dateTime: new Date(at * 1000).toISOString() }}>
      {style === 'relative' ? relative(at, now) : moment(at, style === 'utc')}
    </Text>
  )
}

/** How long a run has taken; ticks while `running`. `seconds` was true at the unix second `asOf`, so that a skewed clock does no harm. */
export function Runtime({ seconds, asOf, running }: { readonly seconds: number | null; readonly asOf: number; readonly running: boolean }) {
  if (seconds === null) return '–'
  return running ? <Ticking seconds={seconds} asOf={asOf} /> : duration(seconds)
}

function Ticking({ seconds, asOf }: { readonly seconds: number; readonly asOf: number }) {
  const now = useNow()
  return ticking(seconds + Math.max(0, now - asOf))
}
