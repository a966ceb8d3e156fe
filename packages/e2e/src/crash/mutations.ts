import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { DistributedWorld } from './distributed-world.ts'
import type { Nemesis } from './world.ts'

/** A known mistake of such systems, planted into one line of koco, and the fault that brings it to light. */
export type Mutation = {
  readonly name: string
  readonly file: string
  readonly line: string
  readonly instead: string
  readonly nemesis: Nemesis<DistributedWorld>
  /** The violations that it must lead to, one of them. */
  readonly caughtBy: RegExp
}

const PLANT = fileURLToPath(new URL('plant-mutation.mjs', import.meta.url))

/** The environment that plants a mutation into koco's processes. */
export function planted({ file, line, instead }: Mutation): Readonly<Record<string, string>> {
  return { NODE_OPTIONS: `--import ${PLANT}`, CRASH_MUTATION: JSON.stringify({ file, line, instead }) }
}

/** All spoolers are killed while the store stands still: what they hold is neither committed nor, rightly, acknowledged. */
export const spoolersDieBeforeCommit: Nemesis<DistributedWorld> = {
  kind: 'spoolers killed before the commit',
  victim: 'spoolers',
  trace: /did not end in order last time/,
  async strike({ postgres, spoolers }) {
    postgres.pause()
    await delay(1000)
    for (const spooler of spoolers) await spooler.kill()
    postgres.resume()
    for (const spooler of spoolers) await spooler.start()
  },
}

/** All spoolers are killed while Redis cannot be reached: what they hold is committed and not acknowledged. */
export const spoolersDieBeforeAck: Nemesis<DistributedWorld> = {
  kind: 'spoolers killed before the acknowledgement',
  victim: 'spoolers',
  trace: /were delivered again/,
  async strike({ links, postgres, spoolers }) {
    // The store holds the batches back until the link is gone; then they are committed, and nobody can say so.
    postgres.pause()
    await delay(500)
    links.spoolersToRedis.refuse()
    postgres.resume()
    await delay(1000)
    for (const spooler of spoolers) await spooler.kill()
    links.spoolersToRedis.heal()
    for (const spooler of spoolers) await spooler.start()
  },
}

/** The process of the runs dies while the spoolers stand still: what it had acknowledged is in the stream, not yet in the store. */
export const writerDiesAheadOfTheStore: Nemesis<DistributedWorld> = {
  kind: 'panel killed ahead of the store',
  victim: 'panel',
  trace: /timeline attempt recover/,
  async strike({ panel, spoolers }) {
    for (const spooler of spoolers) spooler.freeze()
    await delay(1000)
    await panel.kill()
    await panel.start()
    // Longer than a new process waits for the store by itself: then a try begins, and the seal has to hold it.
    await delay(7000)
    for (const spooler of spoolers) spooler.thaw()
  },
}

/** The five. */
export const MUTATIONS: readonly Mutation[] = [
  {
    name: 'acknowledged before the commit',
    file: 'spooler/src/commit.ts',
    line: 'const started = deps.options.now()',
    instead: 'await deps.options.consumer.ack(batch.acks); const started = deps.options.now()',
    nemesis: spoolersDieBeforeCommit,
    caughtBy: /lost: |hole: /,
  },
  {
    name: 'trimmed before the acknowledgement',
    file: 'transport/src/redis/consumer.ts',
    line: 'this.#budget.note(batches)',
    instead:
      "this.#budget.note(batches); for (const { fid, entries } of batches) { const last = entries.at(-1)?.position; if (last) await this.#commands.redis.xtrim(this.#s.keys.stream(fid), 'MINID', `${last.epoch}-${last.seq + 1}`) }",
    nemesis: spoolersDieBeforeCommit,
    caughtBy: /lost: |hole: /,
  },
  {
    name: 'the seal is not checked',
    file: 'flow/src/executor/read-journal.ts',
    line: 'if (comparePositions(after, read.prev) >= 0) return',
    instead: 'if (page?.caughtUp) return',
    nemesis: writerDiesAheadOfTheStore,
    caughtBy: /repeated: /,
  },
  {
    name: 'a live reader starts again at 0-0',
    file: 'panel/src/routes/events.ts',
    line: 'const from: Position = await cursorOf(context.store.reader, fid, cursor)',
    instead: 'const from: Position = { epoch: 0, seq: 0 }',
    nemesis: writerDiesAheadOfTheStore,
    caughtBy: /reader: at place/,
  },
  {
    name: 'the lease is believed: what it gives must be new',
    file: 'storage/src/postgres/batch.ts',
    line: 'return { gathered, locked, fresh: records.slice(cut), doubtful: records.slice(0, cut) }',
    instead: 'return { gathered, locked, fresh: records, doubtful: [] }',
    nemesis: spoolersDieBeforeAck,
    caughtBy: /set aside|twice: |hanging: /,
  },
]
