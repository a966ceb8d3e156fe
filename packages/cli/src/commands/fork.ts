import { parseJson, type Json } from '@koco/core'
import type { ForkPlan, RunComparison } from '@koco/core/api'
import { Command } from 'commander'
import { usageError } from '../output/exit.ts'
import { printItems, type Column } from '../output/table.ts'
import { CLIENT_SETTINGS, outputForm, outputOption, type CommandContext } from './context.ts'

type ForkOptions = {
  readonly at?: string
  readonly inputs?: string
  readonly result?: readonly string[]
  readonly again?: readonly string[]
  readonly plan?: boolean
  readonly output: string
}

/** `koco runs fork`: a new run out of the beginning of another. */
export function forkCommand(context: CommandContext): Command {
  const command = new Command('fork')
    .description('Start a new run whose journal is another’s up to a position: finished steps are taken over, what follows is done anew')
    .argument('<fid>')
    .option('--at <position>', 'the last event that is taken over; the last of the run unless given')
    .option('--inputs <json>', 'other inputs')
    .option('--result <step=json...>', 'another result of a finished step')
    .option('--again <step...>', 'finished steps that are done again')
    .option('--plan', 'only say what would be taken over and what done again')
    .addOption(outputOption())
  return context.withSettings(command, CLIENT_SETTINGS).action(async (fid: string, options: ForkOptions) => {
    const client = context.client(command)
    const body = {
      ...(options.at !== undefined && { at: options.at }),
      ...(options.inputs !== undefined && { inputs: jsonOf(options.inputs, '--inputs') }),
      ...(options.result !== undefined && { results: Object.fromEntries(options.result.map(resultOf)) }),
      ...(options.again !== undefined && { again: options.again }),
    }
    const path = `/api/runs/${encodeURIComponent(fid)}/fork${options.plan ? '?dry_run' : ''}`
    const answer = await client.call<{ fid?: string; plan: ForkPlan }>('POST', path, body)
    if (options.output === 'json') context.io.out(JSON.stringify(answer, null, 2))
    else if (options.plan) context.io.out(planText(answer.plan))
    else context.io.out(answer.fid ?? '')
  })
}

/** `koco runs compare`: two runs side by side. */
export function compareCommand(context: CommandContext): Command {
  const command = new Command('compare')
    .description('Two runs side by side: what differs, and their steps aligned')
    .argument('<a>')
    .argument('<b>')
    .addOption(outputOption())
  return context.withSettings(command, CLIENT_SETTINGS).action(async (a: string, b: string, options: { output: string }) => {
    const query = new URLSearchParams({ a, b })
    const compared = await context.client(command).call<RunComparison>('GET', `/api/runs/compare?${query.toString()}`)
    if (options.output === 'json') return context.io.out(JSON.stringify(compared, null, 2))
    printItems(context.io, outputForm(options), compared.steps, { id: (pair) => pair.id, columns: COLUMNS, empty: 'Neither run has steps.' })
    if (options.output !== 'table') return
    const { runtime_s: runtime, events, tokens, cost } = compared.differences
    context.io.out(
      `b less a: ${[signed(runtime, ' s'), signed(events, ' events'), signed(tokens, ' tokens'), signed(cost, ' cost')].filter(Boolean).join(', ')}`,
    )
    for (const [name, lines] of [['inputs', compared.inputs] as const, ['result', compared.final] as const]) {
      const changed = lines.filter((line) => line.in !== 'both')
      context.io.out(
        changed.length === 0 ? `${name}: equal` : [`${name}:`, ...changed.map((line) => `  ${line.in === 'a' ? '-' : '+'} ${line.text}`)].join('\n'),
      )
    }
  })
}

type StepPair = RunComparison['steps'][number]

const COLUMNS: readonly Column<StepPair>[] = [
  { title: 'STEP', cell: (pair) => pair.id },
  { title: 'SAME', cell: (pair) => (pair.same ? 'yes' : 'no') },
  ...(['a', 'b'] as const).flatMap((side): Column<StepPair>[] => [
    { title: side.toUpperCase(), cell: (pair) => pair[side]?.status ?? '-' },
    { title: 'SECONDS', cell: (pair) => pair[side]?.duration_s?.toFixed(2) ?? null },
    { title: 'TOKENS', cell: (pair) => pair[side]?.tokens ?? null },
    { title: 'COST', cell: (pair) => pair[side]?.cost?.toFixed(4) ?? null },
  ]),
]

function signed(value: number | null, unit: string): string {
  return value === null ? '' : `${value > 0 ? '+' : ''}${Math.round(value * 1000) / 1000}${unit}`
}

function planText({ at, events, reused, again, open_locks: locks, children }: ForkPlan): string {
  const lines = [`The fork begins with ${events} events, up to ${at}.`]
  lines.push(...reused.map(({ id, edited }) => `  taken over  ${id}${edited ? ' (with another result)' : ''}`))
  lines.push(
    ...again.map(
      ({ id, reason, idempotency_key_before: before }) => `  done again  ${id} (${reason}; its idempotency key was ${before}, the fork has another)`,
    ),
  )
  lines.push(...locks.map(({ name }) => `  asked again ${name}`))
  lines.push(...children.map(({ fid, flow }) => `  started again  a run of ${flow} instead of ${fid}`))
  return lines.join('\n')
}

function resultOf(text: string): [string, Json] {
  const at = text.indexOf('=')
  if (at < 1) throw usageError(`--result takes step=JSON, not "${text}".`)
  return [text.slice(0, at), jsonOf(text.slice(at + 1), '--result')]
}

function jsonOf(text: string, option: string): Json {
  try {
    return parseJson(text)
  } catch {
    throw usageError(`${option} takes JSON, not "${text.slice(0, 80)}".`)
  }
}
