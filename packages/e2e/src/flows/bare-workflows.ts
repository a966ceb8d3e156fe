import { proxyActivities } from '@temporalio/workflow'

const { noop } = proxyActivities<{ noop(): Promise<void> }>({ startToCloseTimeout: '30s' })

/** The least that a workflow can be that does something: one activity that does nothing. */
export async function oneActivity(): Promise<void> {
  await noop()
}

/** The usual way to write a run of three steps. */
export async function threeActivities(): Promise<void> {
  await noop()
  await noop()
  await noop()
}
