import type { Signal, SignalBus } from '@koco/transport'

/** News of a commit; undefined when the bus was away and anything may have been missed. */
export type Commit = Extract<Signal, { topic: 'committed' }> | undefined

/** The one subscription of this process to commits, handed on by run: a viewer costs the bus nothing. */
export type Wakeups = {
  onCommit(fid: string, listener: (commit: Commit) => void): () => void
  onAnyCommit(listener: (commit: Commit) => void): () => void
  /** True when a commit lately said that this run is over: what a waiter that came late missed. */
  endedLately(fid: string): boolean
  close(): void
}

const ENDED_MAX = 8_192

/** Subscribes; the subscription stands when the promise resolves. */
export async function createWakeups(signals: SignalBus): Promise<Wakeups> {
  const ofRun = new Map<string, Set<(commit: Commit) => void>>()
  const ofAll = new Set<(commit: Commit) => void>()
  const ended = new Set<string>()
  const unsubscribe = await signals.subscribe('committed', '*', (commit) => {
    if (commit.ended) noteEnd(ended, commit.fid)
    else ended.delete(commit.fid)
    for (const listener of ofRun.get(commit.fid) ?? []) listener(commit)
    for (const listener of ofAll) listener(commit)
  })
  const stopReconnect = signals.onReconnect(() => {
    for (const listeners of ofRun.values()) for (const listener of listeners) listener(undefined)
    for (const listener of ofAll) listener(undefined)
  })
  return {
    onCommit(fid, listener) {
      const listeners = ofRun.get(fid) ?? new Set()
      ofRun.set(fid, listeners.add(listener))
      return () => {
        listeners.delete(listener)
        if (listeners.size === 0 && ofRun.get(fid) === listeners) ofRun.delete(fid)
      }
    },
    onAnyCommit(listener) {
      ofAll.add(listener)
      return () => ofAll.delete(listener)
    },
    endedLately: (fid) => ended.has(fid),
    close() {
      unsubscribe()
      stopReconnect()
      ofRun.clear()
      ofAll.clear()
    },
  }
}

function noteEnd(ended: Set<string>, fid: string): void {
  ended.add(fid)
  if (ended.size <= ENDED_MAX) return
  const oldest = ended.values().next()
  if (!oldest.done) ended.delete(oldest.value)
}
