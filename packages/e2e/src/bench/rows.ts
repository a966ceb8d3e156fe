import { newFid, type EventRecord, type NewRun } from '@koco/core'
import type { RecordBody } from '@koco/transport'

const BODY_BYTES = 430

/** A run's row for a bench; `index` makes its fid unique and repeatable. */
export function benchRun(index: number): NewRun {
  const random = new Uint8Array(8)
  new DataView(random.buffer).setUint32(0, index)
  return {
    fid: newFid(1_700_000_000_000, random),
    flow: 'bench',
    version: null,
    user: 'bench',
    summary: 'A bench run.',
    tags: [],
    parent: null,
    inputs: {},
    createdAt: 1_700_000_000,
  }
}

/** The events of a run as a producer sends them: the seal, then actions; each with `data` of about 430 bytes. */
export function benchBodies(count: number): RecordBody[] {
  return Array.from({ length: count }, (_none, index) => (index === 0 ? seal() : action(index)))
}

/** The same as records, as a store gets them. */
export function benchRecords(epoch: number, count: number): EventRecord[] {
  return benchBodies(count).map((body, index) => ({
    ...body,
    epoch,
    seq: index + 1,
    data: index === 0 ? body.data.replace(/}$/, ',"prev":"0-0"}') : body.data,
  }))
}

function seal(): RecordBody {
  return { kind: 'attempt', ts: 1_700_000_000.25, step: null, data: '{"attempt":1,"reason":"start","owner":"bench"}' }
}

function action(index: number): RecordBody {
  const head = `{"name":"tick","value":{"n":${index},"text":"`
  const text = `event ${index} `.repeat(60).slice(0, BODY_BYTES - head.length - 3)
  return { kind: 'action', ts: 1_700_000_000 + index / 1000, step: null, data: `${head}${text}"}}` }
}
