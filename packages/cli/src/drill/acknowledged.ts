import { appendFileSync, readFileSync } from 'node:fs'
import type { EventRecord } from '@koco/core'
import type { EventStreams } from '@koco/transport'

/** Streams that write down each record whose append was acknowledged, before the producer hears of it: what the checker holds the store to. */
export function writeAcknowledged(streams: EventStreams, file: string): EventStreams {
  return {
    commits: streams.commits,
    create: (fid, floor) => streams.create(fid, floor),
    async append(fid, epoch, firstSeq, records) {
      const answer = await streams.append(fid, epoch, firstSeq, records)
      if (answer.answer === 'ok' || answer.answer === 'dup') {
        const numbered = records.map((record, index) => ({ fid, ...record, epoch, seq: firstSeq + index }))
        appendFileSync(file, numbered.map((record) => `${JSON.stringify(record)}\n`).join(''))
      }
      return answer
    },
    top: (fid) => streams.top(fid),
    close: () => streams.close(),
  }
}

/** The acknowledged records of a run in these files. A line that the death of its process cut short is none. */
export function readAcknowledged(files: readonly string[], fid: string): EventRecord[] {
  return files.flatMap((file) =>
    readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line.includes(fid) && line.endsWith('}'))
      .map((line) => JSON.parse(line) as EventRecord & { readonly fid: string })
      .filter((record) => record.fid === fid)
      .map(({ epoch, seq, ts, kind, step, data }) => ({ epoch, seq, ts, kind, step: step === '' ? null : step, data })),
  )
}
