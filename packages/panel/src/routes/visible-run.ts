import { isFid, must } from '@koco/core'
import type { RunStore } from '@koco/storage'
import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import { can, type Action, type Principal } from '../auth/permissions.ts'
import type { PanelContext } from '../context.ts'
import { ProblemError } from '../server/problems.ts'

/** A run id in an address; what is none is refused before anything is looked up. */
export const fidParam = z.string().refine(isFid, 'is not a run id: 24 lower-case hex digits')

/** The signed-in caller; the access check before every such route has put it there. */
export function caller(request: FastifyRequest): Principal {
  return must(request.principal, 'the principal of a checked request')
}

/** A run as the store gives it. */
export type StoredRun = NonNullable<Awaited<ReturnType<RunStore['get']>>>

/** The run, when the caller may do this to it. A foreign run is as unknown as one that does not exist: problem 404 `unknown_run`. */
export async function visibleRun(context: PanelContext, request: FastifyRequest, fid: string, action: Action): Promise<StoredRun> {
  const run = await context.store.runs.get(fid)
  if (run && can(caller(request), action, run)) return run
  throw new ProblemError(404, 'unknown_run', `There is no run ${fid} among those that you may see.`)
}
