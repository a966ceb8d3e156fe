import type { Command } from 'commander'
import { usageError } from '../output/exit.ts'

/** What a command that chooses runs was given. */
export type RunFilterOptions = {
  readonly status?: string
  readonly flow?: string
  readonly user?: string
  readonly tag?: string
  readonly parent?: string
  readonly q?: string
  readonly from?: string
  readonly to?: string
  readonly archived?: boolean
}

/** Adds the options that choose runs, as the list of runs has them. */
export function addRunFilter(command: Command): Command {
  return command
    .option('--status <status>', 'only runs of this status (several with commas)')
    .option('--flow <name>', 'only runs of this flow')
    .option('--user <name>', 'only runs of this user')
    .option('--tag <tag>', 'only runs with this tag')
    .option('--parent <fid>', 'only the runs that this run has started')
    .option('--q <text>', 'only runs with these words in summary, flow, inputs, status or tags')
    .option('--from <time>', 'only runs created at or after this time: 2026-11-25, or 2026-11-25T14:00')
    .option('--to <time>', 'only runs created before this time')
    .option('--archived', 'the archived runs instead')
}

/** The filter as the API's list of runs takes it; a usage error for a time that is none. */
export function runFilterQuery(options: RunFilterOptions): URLSearchParams {
  const query = new URLSearchParams()
  for (const status of options.status?.split(',') ?? []) query.append('status', status.trim())
  for (const name of ['flow', 'user', 'tag', 'parent', 'q'] as const) {
    const value = options[name]
    if (value !== undefined) query.set(name, value)
  }
  if (options.from !== undefined) query.set('created_from', seconds(options.from, '--from'))
  if (options.to !== undefined) query.set('created_to', seconds(options.to, '--to'))
  if (options.archived) query.set('archived', 'true')
  return query
}

/** A day alone begins by the clock of whoever asks. */
function seconds(text: string, option: string): string {
  const at = Date.parse(/^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}T00:00` : text)
  if (Number.isNaN(at)) throw usageError(`${option} takes a time like 2026-11-25 or 2026-11-25T14:00, not "${text}".`)
  return String(at / 1000)
}
