import type { TimelineEvent } from '@koco/core/api'
import { useQueryClient } from '@tanstack/react-query'
import { useEffect, useMemo, useSyncExternalStore } from 'react'
import { runQuery } from '../api/runs.ts'
import { openLocksQuery } from '../api/locks.ts'
import { visibilityOf } from '../live/visibility.ts'
import { RunFeed, type FeedState } from './feed.ts'

/** Events after which the run's summary says something new. */
const TELLING: ReadonlySet<string> = new Set([
  'status',
  'meta',
  'attempt',
  'final',
  'error',
  'lock',
  'lease',
  'escalate',
  'model',
  'progress',
  'pause',
  'resume',
  'cancel',
])
const REFRESH_MS = 400

/** The feed of a run, open as long as its page is, and how it stands. Telling events refresh the run's summary, at most a few times a second. */
export function useRunFeed(fid: string): { readonly feed: RunFeed; readonly state: FeedState } {
  const client = useQueryClient()
  const feed = useMemo(() => new RunFeed(fid, visibilityOf(document)), [fid])
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined
    const deaf = feed.hear((events: readonly TimelineEvent[]) => {
      if (feed.snapshot().phase === 'loading' || !events.some((event) => TELLING.has(event.kind))) return
      const asks = events.some((event) => event.kind === 'lock' || event.kind === 'lease' || event.kind === 'escalate')
      timer ??= setTimeout(() => {
        timer = undefined
        void client.invalidateQueries({ queryKey: runQuery(fid).queryKey })
        if (asks) void client.invalidateQueries({ queryKey: openLocksQuery.queryKey })
      }, REFRESH_MS)
    })
    feed.open()
    return () => {
      deaf()
      feed.close()
      clearTimeout(timer)
    }
  }, [feed, client, fid])
  const state = useSyncExternalStore(feed.subscribe, feed.snapshot)
  return { feed, state }
}
