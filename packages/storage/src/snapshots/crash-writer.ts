// A child of the crash test: opens the store of a folder, makes a snapshot, and kills itself at a point of it. Arguments: folder, point, nth.
import { join } from 'node:path'
import { crashPoint } from '../sqlite/crash-point.ts'
import { createSqliteExecutionStore } from '../sqlite/index.ts'
import { SnapshotFolder } from './files.ts'
import { takeSnapshot } from './take.ts'

const [base = '', point = '', nth = '1'] = process.argv.slice(2)
const store = await createSqliteExecutionStore({ dir: join(base, 'data') })
await takeSnapshot(store.keeper, new SnapshotFolder(join(base, 'snapshots'), crashPoint({ point, nth: Number(nth) })), 'periodic', Date.now())
await store.close()
