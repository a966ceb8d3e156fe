import type { Page } from '@koco/core/api'
import { useInfiniteQuery, useQueryClient, type InfiniteData } from '@tanstack/react-query'
import { useCallback, useEffect, useMemo, useRef, useState } from 'react'
import { received, runsPath, runsQuery, type RunFilter } from '../api/runs.ts'
import type { RunRow } from '../api/shapes.ts'
import { openStream, type StreamState } from '../live/stream.ts'
import { visibilityOf } from '../live/visibility.ts'
import { letIn, mergeRuns } from './merge.ts'

const FRESH_MAX = 500

type Pages = InfiniteData<Page<RunRow>, string | null>

/**
 * The run list that updates itself. Runs that are there change in place; new ones are let in at once while `still` says that nobody is reading, else they wait in `fresh` until
 * `show` is called.
 */
export function useLiveRuns(filter: RunFilter, still: () => boolean) {
  const client = useQueryClient()
  const options = useMemo(() => runsQuery(filter), [filter])
  const query = useInfiniteQuery({ ...options, staleTime: Infinity, refetchOnMount: 'always', refetchOnWindowFocus: false })
  const [fresh, setFresh] = useState<readonly RunRow[]>([])
  const [missed, setMissed] = useState(false)
  const [stream, setStream] = useState<StreamState['phase']>('connecting')
  const isStill = useRef(still)
  isStill.current = still

  const change = useCallback(
    (update: (rows: readonly RunRow[]) => readonly RunRow[]) => client.setQueryData<Pages>(options.queryKey, (pages) => pages && inFirstPages(pages, update)),
    [client, options],
  )
  const take = useCallback(
    (changed: readonly RunRow[]) => {
      const pages = client.getQueryData<Pages>(options.queryKey)
      if (!pages) return
      const rows = pages.pages.flatMap((page) => page.items)
      const merged = mergeRuns(rows, changed, filter, pages.pages.at(-1)?.next === null)
      if (isStill.current()) change(() => letIn(merged.rows, merged.fresh))
      else {
        change(() => merged.rows)
        if (merged.fresh.length > 0) setFresh((waiting) => letIn(waiting, merged.fresh).slice(0, FRESH_MAX))
      }
    },
    [client, options, filter, change],
  )
  useEffect(() => {
    setFresh([])
    setMissed(false)
    return listen(filter, take, setStream, () => (isStill.current() ? void query.refetch() : setMissed(true)))
    // A refetch function of the same query never changes.
    // oxlint-disable-next-line react-hooks/exhaustive-deps
  }, [filter, take])

  const show = useCallback(() => {
    if (missed) void query.refetch()
    else change((rows) => letIn(rows, fresh))
    setFresh([])
    setMissed(false)
  }, [missed, fresh, change, query])
  return { query, rows: query.data?.pages.flatMap((page) => page.items) ?? [], fresh, missed, show, stream }
}

/** Follows the list's stream; frames are taken together a few times a second, so that 50 runs a second leave the page usable. */
function listen(filter: RunFilter, take: (runs: readonly RunRow[]) => void, onPhase: (phase: StreamState['phase']) => void, onMissed: () => void): () => void {
  const waiting = new Map<string, RunRow>()
  let timer: ReturnType<typeof setTimeout> | undefined
  let wasLive = false
  const flush = () => {
    timer = undefined
    take([...waiting.values()])
    waiting.clear()
  }
  const close = openStream({
    url: runsPath({ ...(filter.flow !== undefined && { flow: filter.flow }), ...(filter.user !== undefined && { user: filter.user }) }),
    visibility: visibilityOf(document),
    onFrame: (frame) => {
      if (frame.event === 'reset') return onMissed()
      if (frame.event === 'ready') {
        // After a cut, what happened meanwhile was not told.
        if (wasLive) onMissed()
        wasLive = true
        return
      }
      if (frame.event !== 'run') return
      const run = received(JSON.parse(frame.data) as RunRow)
      waiting.set(run.fid, run)
      timer ??= setTimeout(flush, 150)
    },
    onState: (state) => onPhase(state.phase),
  })
  return () => {
    close()
    clearTimeout(timer)
  }
}

/** Applies a change to all rows and deals them out to the pages again: the pages keep their sizes, the first takes what is new. */
function inFirstPages(data: Pages, update: (rows: readonly RunRow[]) => readonly RunRow[]): Pages {
  const rows = update(data.pages.flatMap((page) => page.items))
  const later = data.pages.slice(1).map((page) => page.items.length)
  let from = rows.length - later.reduce((sum, length) => sum + length, 0)
  const pages = data.pages.map((page, index) => {
    if (index === 0) return { ...page, items: rows.slice(0, from) }
    const end = from + page.items.length
    const items = rows.slice(from, end)
    from = end
    return { ...page, items }
  })
  return { ...data, pages }
}
