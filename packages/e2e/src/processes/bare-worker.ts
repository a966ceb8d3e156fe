import { fileURLToPath } from 'node:url'
import { NativeConnection, Worker } from '@temporalio/worker'

// A plain worker of the SDK, as its documentation shows it, for the baselines of the benches: `node bare-worker.ts <address> <task queue>`, until SIGTERM.
const [, , address = '', taskQueue = ''] = process.argv
const connection = await NativeConnection.connect({ address })
const worker = await Worker.create({
  connection,
  taskQueue,
  workflowsPath: fileURLToPath(new URL('../flows/bare-workflows.ts', import.meta.url)),
  activities: { noop: () => Promise.resolve() },
})
await worker.run()
await connection.close()
