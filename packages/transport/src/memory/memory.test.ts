// Goal: the transport in memory keeps every promise of the port. Method: the contract suite, with a backlog small enough to fill.
import { transportContract } from '../contract/transport.ts'
import { createMemoryTransport } from './transport.ts'

const BACKLOG_MAX = 1000

transportContract(
  'memory',
  async () => {
    const transport = createMemoryTransport({ capacity: { backlogMax: BACKLOG_MAX }, workerLifeMs: 200, holdMs: 3000 })
    // Memory forgets a stream when its run has ended and all of it is committed, or with the process.
    const janitor = transport.consumer('janitor')
    return { transport, backlogMax: BACKLOG_MAX, wipe: (fid) => janitor.expire([fid]), close: () => transport.close() }
  },
  200,
)
