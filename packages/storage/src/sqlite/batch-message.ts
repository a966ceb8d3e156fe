import type { RunRecords, WriteAlarm, WriteResult } from '../port/events.ts'
import { inOrder } from '../records.ts'
import { type Chunk, packChunks } from './chunk.ts'

/** The chunks of one run, in position order. */
export type RunChunks = { readonly fid: string; readonly chunks: readonly Chunk[] }

/** A batch as it crosses threads: one array a field. Cloning thousands of small objects would cost more than storing what is in them. */
export type BatchMessage = {
  readonly fids: readonly string[]
  /** How many chunks each run has; the arrays below have one entry a chunk. */
  readonly counts: readonly number[]
  readonly epochs: readonly number[]
  readonly firsts: readonly number[]
  readonly lasts: readonly number[]
  readonly quiets: readonly boolean[]
  readonly heads: readonly string[]
  readonly bodies: readonly string[]
}

/** The outcome of a batch, likewise; one entry a run, in the order of the batch. */
export type ResultMessage = {
  readonly epochs: number[]
  readonly seqs: number[]
  readonly ended: boolean[]
  readonly inserted: number[]
  readonly duplicates: number[]
  readonly alarms: WriteAlarm[]
}

/** Packs a batch; a run that is named twice becomes one. */
export function packBatch(batch: readonly RunRecords[]): BatchMessage {
  const byRun = new Map<string, RunRecords['records']>()
  for (const { fid, records } of batch) byRun.set(fid, [...(byRun.get(fid) ?? []), ...records])
  const runs = [...byRun].map(([fid, records]) => ({ fid, chunks: packChunks(inOrder(records)) }))
  const chunks = runs.flatMap((run) => run.chunks)
  return {
    fids: runs.map(({ fid }) => fid),
    counts: runs.map((run) => run.chunks.length),
    epochs: chunks.map(({ epoch }) => epoch),
    firsts: chunks.map(({ first }) => first),
    lasts: chunks.map(({ last }) => last),
    quiets: chunks.map(({ quiet }) => quiet),
    heads: chunks.map(({ head }) => head),
    bodies: chunks.map(({ body }) => body),
  }
}

/** The runs of a packed batch. */
export function* unpackBatch(message: BatchMessage): Generator<RunChunks> {
  let at = 0
  for (const [i, fid] of message.fids.entries()) {
    const chunks: Chunk[] = []
    for (const end = at + (message.counts[i] ?? 0); at < end; at++) chunks.push(chunkAt(message, at))
    yield { fid, chunks }
  }
}

/** An outcome without runs yet. */
export function emptyResult(): ResultMessage {
  return { epochs: [], seqs: [], ended: [], inserted: [], duplicates: [], alarms: [] }
}

/** The outcome as the port gives it. */
export function unpackResult(fids: readonly string[], result: ResultMessage): WriteResult {
  const { epochs, seqs, ended, inserted, duplicates, alarms } = result
  const runs = fids.map((fid, i) => ({
    fid,
    top: { epoch: epochs[i] ?? 0, seq: seqs[i] ?? 0 },
    ended: ended[i] ?? false,
    inserted: inserted[i] ?? 0,
    duplicates: duplicates[i] ?? 0,
  }))
  return { runs, alarms }
}

function chunkAt({ epochs, firsts, lasts, quiets, heads, bodies }: BatchMessage, i: number): Chunk {
  return { epoch: epochs[i] ?? 0, first: firsts[i] ?? 0, last: lasts[i] ?? 0, quiet: quiets[i] ?? false, head: heads[i] ?? '', body: bodies[i] ?? '' }
}
