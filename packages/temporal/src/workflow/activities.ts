import { ActivityCancellationType, proxyActivities } from '@temporalio/workflow'
import { activityQueue, type AgentActivities, type AgentRun } from '../names.ts'

/** How soon a try without a heartbeat counts as lost, when nobody has seen its worker's liveness key go before. */
const HEARTBEAT_TIMEOUT = '15s'
/** A try may take as long as its flow: the run's own limit ends it, not Temporal's. */
const TRY_TIMEOUT = '365 days'

/**
 * The tries of a run, on the queue of its flow's version. What fails here is the infrastructure (worker lost, store away), never the flow: it is tried again without end.
 * A cancelled try is waited for, since it writes the run's last events.
 */
export function tries(run: AgentRun): Pick<AgentActivities, 'executeAgent'> {
  return proxyActivities<AgentActivities>({
    taskQueue: activityQueue(run.taskQueue, run.flow, run.version),
    startToCloseTimeout: TRY_TIMEOUT,
    heartbeatTimeout: HEARTBEAT_TIMEOUT,
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry: { initialInterval: '200ms', backoffCoefficient: 2, maximumInterval: '10s' },
  })
}

/** Short writes to the store that any worker can do, tried until they are done. */
export function bookkeeping(): Omit<AgentActivities, 'executeAgent'> {
  return proxyActivities<AgentActivities>({ startToCloseTimeout: '30s', retry: { initialInterval: '500ms', maximumInterval: '10s' } })
}
