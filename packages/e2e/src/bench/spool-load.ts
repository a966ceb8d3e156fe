import type { ExecutionStore } from '@koco/storage'
import { createSpooler } from '@koco/spooler'
import type { Transport } from '@koco/transport'
import { ORIGIN } from '@koco/core'
import { quietLog } from './quiet-log.ts'
import { benchBodies, benchRun } from './rows.ts'

const EPOCH = 1_700_000_000_000
const APPEND_BATCH = 500
/** Streams that are filled at a time. */
const FILLED_AT_ONCE = 50

/** So many events spread over so many streams; `first` is the number of the first run, so that loads do not meet. */
export type Load = { readonly events: number; readonly streams: number; readonly first: number }

/** CPU seconds used so far, by whom. */
export type CpuTimes = Readonly<Record<string, number>>

/** How long it took, the CPU seconds that went into it, and how many events each spooler carried. */
export type Drained = { readonly seconds: number; readonly cpu: CpuTimes; readonly carried: readonly number[] }

/** Fills the streams, then lets spoolers loose on them, one unless said otherwise, until they have told that all is committed. `cpu` is asked before and after. */
export async function drain(transport: Transport, store: ExecutionStore, load: Load, cpu: () => Promise<CpuTimes>, count = 1): Promise<Drained> {
  await fill(transport, store, load)
  const spoolers = Array.from({ length: count }, (_none, index) =>
    createSpooler({ consumer: transport.consumer(`bench-${index}`), signals: transport.signals, writer: store.writer, dead: store.dead, log: quietLog }),
  )
  const before = await cpu()
  const start = performance.now()
  const done = allCommitted(transport, load)
  for (const spooler of spoolers) spooler.start()
  await done
  const seconds = (performance.now() - start) / 1000
  const after = await cpu()
  await Promise.all(spoolers.map((spooler) => spooler.stop(5000)))
  const used = Object.entries(after).map(([who, seconds]) => [who, seconds - (before[who] ?? 0)])
  return { seconds, cpu: Object.fromEntries(used), carried: spoolers.map((spooler) => spooler.status().events) }
}

async function fill(transport: Transport, store: ExecutionStore, { events, streams, first }: Load): Promise<void> {
  const bodies = benchBodies(events / streams)
  const one = async (index: number): Promise<void> => {
    const run = benchRun(index)
    await store.runs.create({ ...run, launcher: 'direct', idempotencyKey: null })
    await transport.streams.create(run.fid, ORIGIN)
    for (let from = 0; from < bodies.length; from += APPEND_BATCH)
      await transport.streams.append(run.fid, EPOCH, from + 1, bodies.slice(from, from + APPEND_BATCH))
  }
  for (let index = first; index < first + streams; index += FILLED_AT_ONCE) {
    const count = Math.min(FILLED_AT_ONCE, first + streams - index)
    await Promise.all(Array.from({ length: count }, (_none, offset) => one(index + offset)))
  }
}

/** Resolves when the spooler has said of every stream that its last event is committed. */
async function allCommitted(transport: Transport, { events, streams, first }: Load): Promise<void> {
  const last = `${EPOCH}-${events / streams}`
  const open = new Set(Array.from({ length: streams }, (_none, index) => benchRun(first + index).fid))
  const { promise, resolve } = Promise.withResolvers<void>()
  const end = await transport.signals.subscribe('committed', '*', ({ fid, position }) => {
    if (position === last) open.delete(fid)
    if (open.size === 0) resolve()
  })
  await promise
  end()
}
