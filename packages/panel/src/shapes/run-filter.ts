import { RUN_STATUSES } from '@koco/core'
import type { RunQuery } from '@koco/storage'
import { z } from 'zod'
import { ownScope, type Action, type Principal } from '../auth/permissions.ts'
import { list } from './json.ts'

const fid = z.string().regex(/^[0-9a-f]{24}$/, 'is not a run id: 24 lower-case hex digits')

/** What runs are chosen by, in an address or in a body. */
export const runFilter = {
  status: list.pipe(z.array(z.enum(RUN_STATUSES)).optional()).describe('one or several, with commas'),
  flow: z.string().max(100).optional(),
  user: z.string().max(63).optional(),
  tag: z.string().max(100).optional(),
  parent: fid.optional().describe('only the runs that this run has started'),
  q: z.string().max(200).optional().describe('words that all must be in summary, flow, inputs, status or tags'),
  created_from: z.coerce.number().optional().describe('unix seconds'),
  created_to: z.coerce.number().optional(),
  archived: z.enum(['true', 'false']).optional(),
  after: z.string().max(500).optional().describe('`next` of the page before'),
}

const RunFilter = z.object(runFilter)

/** The store's query for a filter as this person may ask it: only their own runs where that is how far their right goes. Undefined when nothing can match. */
export function storeQuery(filter: z.infer<typeof RunFilter>, principal: Principal, action: Action): Omit<RunQuery, 'limit'> | undefined {
  const { created_from: createdFrom, created_to: createdTo, after: cursor, archived, user, ...same } = filter
  const own = ownScope(principal, action)
  if (own !== undefined && user !== undefined && user !== own) return undefined
  return given({ ...same, user: own ?? user, createdFrom, createdTo, cursor, archived: archived === 'true' })
}

/** The object without its undefined fields. */
function given<T extends object>(fields: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as { [K in keyof T]: Exclude<T[K], undefined> }
}
