import { Alert } from '@mantine/core'
import type { WholeRun } from '../api/shapes.ts'
import { restingWords } from '../show/format.ts'
import { useTimeStyle } from '../show/time-style.ts'

/** Says of a run whose tries kill their process why nothing happens, and what can be done; nothing of any other. */
export function Resting({ run }: { readonly run: WholeRun }) {
  const words = restingWords(run, useTimeStyle() === 'utc')
  if (words === undefined) return null
  return (
    <Alert color="orange" variant="light" py="xs" role="status" title={words}>
      It is tried again by itself, after a longer rest each time; finished steps are kept. Look meanwhile for what kills it (memory?): the last step that the
      timeline shows as begun is the nearest to it.
    </Alert>
  )
}
