import { assert, formatPosition, type Position } from '@koco/core'

/** What to do with a batch: append it from its `skip`-th record on, or answer without writing. */
export type AppendVerdict = { readonly answer: 'ok'; readonly skip: number } | { readonly answer: 'dup' | 'gap' | 'fenced' }

/**
 * The rule of append, pure: how a batch `epoch`-`firstSeq` of `count` records relates to a stream whose last position is `top`. A later epoch starts at 1, the same epoch goes on
 * without a hole, an earlier one is fenced. The Lua script says the same; a property test compares the two.
 */
export function judgeAppend(top: Position, epoch: number, firstSeq: number, count: number): AppendVerdict {
  if (epoch < top.epoch) return { answer: 'fenced' }
  if (epoch > top.epoch) return firstSeq === 1 ? { answer: 'ok', skip: 0 } : { answer: 'gap' }
  if (firstSeq + count - 1 <= top.seq) return { answer: 'dup' }
  return firstSeq > top.seq + 1 ? { answer: 'gap' } : { answer: 'ok', skip: top.seq + 1 - firstSeq }
}

/** The data of an epoch's first event with the seal added: `"prev"`, the stream's top before it. `data` must be the text of a JSON object. */
export function sealData(data: string, prev: Position): string {
  assertSealable(data)
  const head = data.slice(0, -1)
  return `${head}${head.length > 1 ? ',' : ''}"prev":"${formatPosition(prev)}"}`
}

/** Throws AssertionError unless `data` can take the seal. */
export function assertSealable(data: string): void {
  assert(data.startsWith('{') && data.endsWith('}'), `the first event of an epoch must carry a JSON object, not ${data.slice(0, 40)}`)
}

/** Throws AssertionError for an append that no caller may make: no records, or numbers that are no position. */
export function assertAppendable(epoch: number, firstSeq: number, count: number): void {
  assert(Number.isSafeInteger(epoch) && epoch > 0, `${epoch} is no epoch`)
  assert(Number.isSafeInteger(firstSeq) && firstSeq > 0 && count > 0, `${count} records from seq ${firstSeq} are no batch`)
}
