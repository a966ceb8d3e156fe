import { Alert } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { delayQuery } from '../api/delay.ts'
import { moment } from '../show/format.ts'
import { useTimeStyle } from '../show/time-style.ts'

const CAUSES: Readonly<Record<string, string>> = {
  no_spooler: 'no spooler takes them',
  spoolers_behind: 'they come in faster than they are stored',
  store_unavailable: 'the store does not answer',
  redis_unavailable: 'Redis does not answer',
  redis_full: 'Redis is full',
  redis_readonly: 'Redis takes no writes',
}

/** Says above every page that what runs do is shown late, since when and why: else a run that stands still looks like one that hangs. */
export function DelayBanner() {
  const { data } = useQuery(delayQuery)
  const style = useTimeStyle()
  if (!data || data.delayed_since === null) return null
  const code = data.because ?? ''
  return (
    <Alert color="orange" variant="light" mb="md" py="xs" role="status">
      Events delayed since {moment(data.delayed_since, style === 'utc')}: {CAUSES[code] ?? code.replaceAll('_', ' ')}. Nothing is lost: runs go on, and what
      they did shows when this is over.
    </Alert>
  )
}
