import type { ModelSums, RunTally } from '../tally.ts'

/** Which days (UTC, counted from 1970; `toDay` exclusive), and of which flow and user. */
export type InsightQuery = { readonly fromDay: number; readonly toDay: number; readonly flow?: string; readonly user?: string }

/** How many runs of a day, flow or user had this outcome; `bucket` as of RunTally. */
export type RunCount = Pick<RunTally, 'outcome' | 'bucket' | 'runs'> & { readonly key: string }

/** What a day, flow, user or model came to. `provider`: of a model. */
export type ModelUsage = ModelSums & { readonly key: string; readonly provider: string | null }

/** What runs and models came to by day, kept by the writer in the transaction of the events: no event is read for it, and none counts twice. */
export interface InsightStore {
  runs(query: InsightQuery, by: 'day' | 'flow' | 'user'): Promise<readonly RunCount[]>
  models(query: InsightQuery, by: 'day' | 'flow' | 'user' | 'model'): Promise<readonly ModelUsage[]>
}
