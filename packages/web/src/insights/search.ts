/** What the page shows: the last so many days, of one flow or user or all. */
export type InsightsSearch = { readonly days?: number; readonly flow?: string; readonly user?: string }

/** The ranges that can be chosen, in days. */
export const RANGES = [7, 30, 90, 365] as const

/** The range when nobody chose. */
export const DAYS_STANDARD = 30

/** The search of the address; what is none is left out. */
export function insightsSearch(search: Record<string, unknown>): InsightsSearch {
  const days = Number(search['days'])
  const [flow, user] = [search['flow'], search['user']]
  return {
    ...(RANGES.some((range) => range === days) && days !== DAYS_STANDARD && { days }),
    ...(typeof flow === 'string' && flow !== '' && { flow }),
    ...(typeof user === 'string' && user !== '' && { user }),
  }
}
