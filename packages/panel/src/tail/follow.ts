import type { Position } from '@koco/core'
import { ORIGIN } from '@koco/core'
import { controlFrame } from './frames.ts'
import type { LiveStream } from './live-stream.ts'
import type { RunTail } from './run-tail.ts'

/**
 * Sends a run's timeline from a cursor on: what is stored page by page, then what comes, until the run is over or the reader is gone. Wake-ups are counted before each read, so nothing falls
 * between reading and waiting.
 */
export async function follow(tail: RunTail, stream: LiveStream, from: Position): Promise<void> {
  let cursor = from
  let caughtUp = false
  tail.viewers += 1
  const stopDeltas = tail.onDelta((frame) => {
    if (caughtUp) stream.push(frame)
  })
  try {
    while (!stream.signal.aborted) {
      const { version } = tail
      const chunk = await tail.next(cursor)
      caughtUp = chunk.caughtUp
      if (chunk.frames.length > 0) await stream.write(chunk.frames)
      cursor = chunk.last
      if (!chunk.caughtUp) continue
      const standing = await tail.standing(cursor)
      if (standing.state === 'over') return stream.end(controlFrame('end', { status: standing.status, position: standing.position }), 'ended')
      if (standing.state === 'gone') return stream.end(controlFrame('reset', { after: '0-0', reason: 'gone' }), 'ended')
      if (standing.state === 'rewound') {
        await stream.write(controlFrame('reset', { after: '0-0', reason: 'restored' }))
        cursor = ORIGIN
        continue
      }
      await tail.changed(version, stream.signal)
    }
  } finally {
    tail.viewers -= 1
    stopDeltas()
  }
}
