import { RefusedError, type EventData } from '@koco/core'
import type { Lock, TimelineEvent } from '@koco/core/api'
import type { ApiClient } from '../panel-client/api-client.ts'
import { eventLine } from '../output/event-line.ts'
import { howToAnswer } from '../output/how-to-answer.ts'
import type { Io } from '../output/io.ts'
import type { OutputForm } from '../output/table.ts'

/** What to print while following. `kinds` null: all. */
export type FollowOptions = { readonly form: OutputForm; readonly after: string | null; readonly kinds: readonly string[] | null }

/** Prints a run's events as they come until it ends or the person interrupts. */
export async function followRun(io: Io, client: ApiClient, fid: string, options: FollowOptions): Promise<void> {
  for await (const frame of client.tail(`/api/runs/${encodeURIComponent(fid)}/events`, options.after, io.stop)) {
    if (frame.event === 'reset') throw new RefusedError(`The position ${options.after} is not of run ${fid}: follow it from the start.`, { code: 'bad_cursor' })
    if (frame.event === 'gap') io.err('Some events are missing here; they were declared lost.')
    if (frame.id === null || (options.kinds && !options.kinds.includes(frame.event))) continue
    if (options.form === 'ids') io.out(frame.id)
    else if (options.form === 'json') io.out(frame.data)
    else {
      const event = JSON.parse(frame.data) as TimelineEvent
      const line = eventLine(io, event)
      if (line !== undefined) io.out(line)
      if (event.kind === 'lock') await tellHowToAnswer(io, client, event)
    }
  }
}

/** Says what answers a question that still waits: who follows a run may be the one it waits for. */
async function tellHowToAnswer(io: Io, client: ApiClient, { fid, data }: TimelineEvent): Promise<void> {
  const { lid } = data as EventData['lock']
  const lock = await client.call<Lock>('GET', `/api/runs/${encodeURIComponent(fid)}/locks/${encodeURIComponent(lid)}`)
  if (lock.status === 'open') io.out(`          It waits for an answer, in another terminal say: ${howToAnswer(lock, client)}`)
}
