// A process for crash.test.ts: writes runs into a store that kills it at the point it is told, and says on stdout what was acknowledged.
import { writeSync } from 'node:fs'
import { crashRuns } from './crash-runs.ts'
import { createSqliteExecutionStore } from './index.ts'

const [dir = '', point = '', nth = '1'] = process.argv.slice(2)
const store = await createSqliteExecutionStore({ dir, migrate: true, chunkBytesMax: 40_000, crashAt: { point, nth: Number(nth) } })
const runs = crashRuns()
for (let i = 0; runs.some(({ records }) => i < records.length); i += 10) {
  const batch = runs.map(({ fid, records }) => ({ fid, records: records.slice(i, i + 10) })).filter(({ records }) => records.length > 0)
  const { runs: outcomes } = await store.writer.write(batch)
  writeSync(1, outcomes.map(({ fid, top }) => `${fid} ${top.epoch} ${top.seq}\n`).join(''))
}
await store.close()
