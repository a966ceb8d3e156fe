import type { TimelineEvent } from '@koco/core/api'
import type { WholeRun } from '../api/shapes.ts'

/** The command that gets one event. */
export function curlOfEvent({ fid, position }: Pick<TimelineEvent, 'fid' | 'position'>): string {
  return `curl -H "authorization: Bearer $KODO_API_KEY" ${location.origin}/api/runs/${fid}/events/${position}`
}

/** What can be copied of a run, by what a menu calls it. */
export function copiesOf(run: WholeRun): readonly (readonly [label: string, text: string])[] {
  const path = `${location.origin}/api/runs/${run.fid}`
  const { read_at: _own, ...shown } = run
  return [
    ['Copy id', run.fid],
    ['Copy link', `${location.origin}/runs/${run.fid}`],
    ['Copy as JSON', JSON.stringify(shown, null, 2)],
    ['Copy as curl', `curl -H "authorization: Bearer $KODO_API_KEY" ${path}`],
  ]
}
