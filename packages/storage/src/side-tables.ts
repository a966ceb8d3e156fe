/** The tables beside runs and conversations whose rows both back ends can give and take as they are: no other part of the store follows from them. */
export const SIDE_TABLES = [
  'budgets',
  'checkpoint_tasks',
  'checkpoints',
  'flow_versions',
  'run_contents',
  'run_days',
  'model_days',
  'webhooks',
  'webhook_deliveries',
] as const

/** One of `SIDE_TABLES`. */
export type SideTable = (typeof SIDE_TABLES)[number]

/** A row with its columns in the words of Postgres (`username`), in which it is copied. */
export type SideRow = Readonly<Record<string, string | number | null>>

/** Rows of side tables by their table. */
export function byTable(lines: readonly { readonly table: SideTable; readonly row: SideRow }[]): [SideTable, SideRow[]][] {
  return [...Map.groupBy(lines, ({ table }) => table)].map(([table, found]) => [table, found.map(({ row }) => row)])
}

/** True for a table of sums that several writers of Postgres keep in shards. */
export function isTally(table: SideTable): boolean {
  return table === 'run_days' || table === 'model_days'
}
