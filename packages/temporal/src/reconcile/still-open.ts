import { formatPosition, isEnded } from '@koco/core'
import { SIGNALS } from '../names.ts'
import type { Reconciled, ReconcileDeps, RoundOptions } from './round.ts'
import { workflowState } from './workflow-state.ts'

/** An open workflow of which the store has no unfinished run; `startedAt` in unix ms. */
export type OpenWorkflow = { readonly id: string; readonly fid: string; readonly startedAt: number }

/** A run whose workflow is still open so long after its end has been forgotten by it. */
const OPEN_AFTER_END_S = 60

/**
 * Looks at one of them. Its run is over: it is told. It has no run: nothing here closes it, because the run may be one of another installation, which shares the queue and does not share the store. It is woken, once:
 * its flow's own worker then looks for the run in the store that it has. A run that lives there waits on; one that is nowhere ends its workflow, as failed with `unknown_run`.
 */
export async function lookAtOpen(deps: ReconcileDeps, workflow: OpenWorkflow, options: RoundOptions): Promise<readonly Reconciled[]> {
  const { server, store, clock } = deps
  const { id, fid } = workflow
  const run = await store.runs.get(fid)
  if (!run) return lookAtOrphan(deps, workflow, options)
  if (!isEnded(run.status) || clock.now() / 1000 - (run.finishedAt ?? 0) < OPEN_AFTER_END_S) return []
  const state = await workflowState(server, id)
  if (state.is !== 'open' || !state.idle) return []
  // Woken, it makes a try, which finds the end in the store and closes it.
  await server.call('wake a run', async (client) => {
    await client.workflow.getHandle(id).signal(SIGNALS.resume, { recorded: true })
    await client.workflow.getHandle(id).signal(SIGNALS.wake, '')
  })
  return [{ fid, flow: run.flow, found: 'open_after_end', did: 'told', note: `its workflow was still open, and is told that the run is ${run.status}` }]
}

async function lookAtOrphan(
  { server, store, transport, clock }: ReconcileDeps,
  { id, fid, startedAt }: OpenWorkflow,
  { youngMs, careful, woken }: RoundOptions,
): Promise<readonly Reconciled[]> {
  if (clock.now() - startedAt < youngMs) return []
  const left = (note: string): Reconciled[] => [{ fid, flow: '', found: 'unknown_run', did: 'left', note }]
  if (careful && (await store.keeper.totals()).runs === 0) {
    return left(
      'the store has no run at all: is it the right one? koco doctor --reconcile wakes the workflow all the same, so that its worker looks for the run',
    )
  }
  const top = await transport.streams.top(fid)
  if (top !== undefined) return left(`the store has no such run, but its stream has events up to ${formatPosition(top)}: is a spooler running?`)
  if (woken.has(id)) {
    return left(
      `the store has no such run, and its workflow stays open after it was woken: it is paused, no worker serves its flow, or another installation uses queue ${server.settings.taskQueue}. If none does: temporal workflow terminate -w ${id}`,
    )
  }
  const state = await workflowState(server, id)
  if (state.is !== 'open') return []
  woken.add(id)
  // Never a resume: who paused a run of another installation has not taken that back.
  await server.call('wake a run', (client) => client.workflow.getHandle(id).signal(SIGNALS.wake, ''))
  return [
    {
      fid,
      flow: '',
      found: 'unknown_run',
      did: 'told',
      note: 'the store has no such run: its workflow is woken, and fails when its worker has no such run either',
    },
  ]
}
