import type { EventData, EventKind } from '@koco/core'
import type { TimelineEvent } from '@koco/core/api'
import { bold, dim } from './table.ts'
import type { Io } from './io.ts'

type Describe = { readonly [K in EventKind]?: (data: EventData[K]) => string | undefined }

const LINE_MAX = 400

// Kinds that say nothing to somebody who follows a run are left out: inputs, meta, and the seal of a first try.
const DESCRIBE: Describe = {
  attempt: ({ attempt, reason }) => (reason === 'start' ? undefined : `try ${attempt} (${reason})`),
  status: ({ status, reason }) => (reason === undefined ? status : `${status}: ${reason}`),
  inputs: () => undefined,
  meta: () => undefined,
  step: (step) => {
    if (step.phase === 'started') return step.try > 1 ? `${step.name}: try ${step.try}` : undefined
    if (step.phase === 'finished') return `${step.name}: done in ${step.duration_s.toFixed(2)} s`
    return `${step.name}: failed: ${step.error.message}`
  },
  sleep: (sleep) => (sleep.phase === 'started' ? `sleeps until ${new Date(sleep.until * 1000).toLocaleTimeString('sv-SE')}` : undefined),
  child: (child) => {
    if (child.phase === 'started') return `starts run ${child.fid} of ${child.flow}`
    return `run ${child.fid} of ${child.flow}: ${child.status}${child.status === 'finished' ? '' : `: ${child.error.message}`}`
  },
  lock: ({ name }) => `asks "${name}"`,
  escalate: ({ assignees, roles }) => `nobody answered yet: ${[...assignees, ...roles.map((role) => `role ${role}`)].join(', ')} may too`,
  lease: (lease) => ('expired' in lease ? 'nobody answered in time' : `answered by ${lease.by}: ${JSON.stringify(lease.answer)}`),
  progress: ({ done, total, text }) => `${total === null ? done : `${done}/${total}`}${text === undefined ? '' : ` ${text}`}`,
  stdout: ({ text }) => text.trimEnd(),
  stderr: ({ text }) => text.trimEnd(),
  final: (value) => textOf(value),
  error: ({ name, message }) => `${name}: ${message}`,
  model: ({ model, tokens, duration_s }) => `${model}: ${tokens.output + tokens.reasoning} tokens in ${duration_s.toFixed(1)} s`,
  tool: ({ name, error }) => (error === undefined ? name : `${name} failed: ${error.message}`),
}

/** An event as a line for somebody who follows a run; undefined for one that is not worth a line. */
export function eventLine(io: Io, event: TimelineEvent): string | undefined {
  const describe = DESCRIBE[event.kind as EventKind] as ((data: unknown) => string | undefined) | undefined
  const text = describe === undefined ? textOf(event.data) : describe(event.data)
  if (text === undefined) return undefined
  if (event.kind === 'final') return `${time(io, event)}  ${bold(io, 'result')}\n${printable(text)}`
  return line(io, event, text)
}

/** An event as a line, also one that is not worth it to somebody who follows: then its data. */
export function fullEventLine(io: Io, event: TimelineEvent): string {
  return eventLine(io, event) ?? line(io, event, JSON.stringify(event.data))
}

/** What a typed value says, as text: its text as it is, anything else as JSON. */
function textOf(value: unknown): string {
  const inner = typeof value === 'object' && value !== null && 'value' in value ? value.value : value
  return typeof inner === 'string' ? inner : JSON.stringify(inner, null, 2)
}

function line(io: Io, event: TimelineEvent, text: string): string {
  return `${time(io, event)}  ${dim(io, event.kind.padEnd(8))}  ${printable(text).slice(0, LINE_MAX)}`
}

function time(io: Io, event: TimelineEvent): string {
  return dim(io, new Date(event.ts * 1000).toLocaleTimeString('sv-SE'))
}

// Escape sequences in a run's text must not drive the terminal of its reader.
function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}]/gu, (char) => (char === '\n' || char === '\t' ? char : '\ufffd'))
}
