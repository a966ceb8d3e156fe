import { isJsonObject, type Json } from '@koco/core'
import type { TimelineEvent } from '@koco/core/api'
import { bytes, cost, count, duration } from '../show/format.ts'
import { plainText } from '../show/ansi.ts'
import { stepLabel } from './spans.ts'

/** How loud an event is in the list. */
export type Tone = 'plain' | 'quiet' | 'good' | 'bad' | 'warn' | 'ask'

/** One line that says what an event is about. `more`: there is something to unfold. */
export type EventLine = { readonly text: string; readonly tone: Tone }

type Data = { readonly [key: string]: Json | undefined }

const LINE_CHARS = 400

/** The line of an event; a kind that this page does not know shows its data. */
export function eventLine(event: TimelineEvent): EventLine {
  const data: Data = isJsonObject(event.data) ? event.data : {}
  const line = LINES[event.kind]?.(data) ?? { text: short(event.data), tone: 'plain' as const }
  return { ...line, text: plainText(line.text.slice(0, LINE_CHARS)).replaceAll(/\s+/g, ' ').trim() }
}

const plain = (text: string): EventLine => ({ text, tone: 'plain' })
const quiet = (text: string): EventLine => ({ text, tone: 'quiet' })

const LINES: Readonly<Record<string, (data: Data) => EventLine>> = {
  attempt: (data) =>
    quiet(`Try ${say(data['attempt'])}${REASONS[say(data['reason'])] ?? ''}${isJsonObject(data['lost']) ? '; some events before it were lost' : ''}`),
  status: (data) => ({
    text: `${STATUSES[say(data['status'])] ?? say(data['status'])}${because(data)}`,
    tone: data['deaths'] === undefined ? (STATUS_TONES[say(data['status'])] ?? 'quiet') : 'warn',
  }),
  inputs: (data) => quiet(short(data['inputs'])),
  meta: (data) => quiet([say(data['summary']), data['version'] ? `version ${say(data['version'])}` : ''].filter(Boolean).join(' · ')),
  step: stepLine,
  sleep: (data) => quiet(data['phase'] === 'finished' ? 'Woke up' : `Sleeps until ${new Date(Number(data['until']) * 1000).toLocaleString()}`),
  child: childLine,
  lock: (data) => ({ text: `Asks: ${say(data['name'])}`, tone: 'ask' }),
  escalate: (data) => ({ text: `Nobody answered yet: ${answerersOf(data)} may too`, tone: 'ask' }),
  lease: (data) =>
    data['expired'] === true
      ? { text: 'Nobody answered in time', tone: 'warn' }
      : { text: `${say(data['by'])} answered: ${short(data['answer'])}${because(data)}`, tone: 'good' },
  pause: (data) => ({ text: `Paused by ${say(data['by'])}${because(data)}`, tone: 'warn' }),
  resume: (data) => plain(`Resumed by ${say(data['by'])}`),
  cancel: (data) => ({ text: `Cancelled by ${say(data['by'])}${because(data)}`, tone: 'warn' }),
  error: (data) => ({ text: errorText(data), tone: 'bad' }),
  warning: (data) => ({ text: short(data['value']), tone: 'warn' }),
  debug: (data) => quiet(short(data['value'])),
  agent: (data) => plain(short(data['value'])),
  result: (data) => plain(short(data['value'])),
  final: (data) => ({ text: short(data['value']), tone: 'good' }),
  action: (data) => plain(`${say(data['name'])}${data['value'] === undefined ? '' : `: ${short(data['value'])}`}`),
  stdout: (data) => plain(say(data['text'])),
  stderr: (data) => ({ text: say(data['text']), tone: 'warn' }),
  upload: (data) => plain(`${say(data['path'])} (${bytes(Number(data['size'] ?? 0))})`),
  progress: (data) =>
    quiet([say(data['text']), data['total'] === null ? say(data['done']) : `${say(data['done'])} of ${say(data['total'])}`].filter(Boolean).join(' · ')),
  model: modelLine,
  tool: (data) =>
    isJsonObject(data['error'])
      ? { text: `${say(data['name'])} failed: ${errorText(data['error'])}`, tone: 'bad' }
      : plain(`${say(data['name'])}(${short(data['input'])}) in ${duration(Number(data['duration_s'] ?? 0))}`),
}

function answerersOf({ assignees, roles }: Data): string {
  const named = [...(Array.isArray(assignees) ? assignees : []), ...(Array.isArray(roles) ? roles.map((role) => `role ${say(role)}`) : [])]
  return named.map(say).join(', ')
}

function stepLine(data: Data): EventLine {
  const name = stepLabel(say(data['id']), say(data['name']))
  const again = Number(data['try'] ?? 1) > 1 ? ` (try ${say(data['try'])})` : ''
  if (data['phase'] === 'started') return quiet(`${name} started${again}`)
  const took = duration(Number(data['duration_s'] ?? 0))
  if (data['phase'] === 'finished') return plain(`${name} finished in ${took}${again}`)
  const then = typeof data['retry_at'] === 'number' ? ', will be tried again' : ''
  return { text: `${name} failed after ${took}${again}${then}: ${isJsonObject(data['error']) ? errorText(data['error']) : ''}`, tone: 'bad' }
}

function childLine(data: Data): EventLine {
  const flow = say(data['flow'])
  if (data['phase'] === 'started') return plain(`Started a run of ${flow}`)
  const status = say(data['status'])
  return { text: `The run of ${flow} ended: ${(STATUSES[status] ?? status).toLowerCase()}`, tone: STATUS_TONES[status] ?? 'plain' }
}

function modelLine(data: Data): EventLine {
  const tokens = isJsonObject(data['tokens']) ? Object.values(data['tokens']).reduce((sum: number, one) => sum + Number(one ?? 0), 0) : 0
  const price = typeof data['cost'] === 'number' ? ` · ${cost(data['cost'])}` : ''
  return plain(`${say(data['model'])} · ${count(tokens)} tokens · ${duration(Number(data['duration_s'] ?? 0))}${price}`)
}

const REASONS: Readonly<Record<string, string>> = {
  start: '',
  recover: ': continues after an interruption',
  wake: ': woke up',
  resume: ': resumed',
  retry: ': started again; finished steps are kept',
  finalise: ': writes the end',
}

const STATUSES: Readonly<Record<string, string>> = {
  starting: 'Starting',
  running: 'Running',
  awaiting: 'Waiting',
  paused: 'Paused',
  finished: 'Finished',
  error: 'Failed',
  cancelled: 'Cancelled',
  timed_out: 'Timed out',
}

const STATUS_TONES: Readonly<Record<string, Tone>> = { finished: 'good', error: 'bad', cancelled: 'warn', timed_out: 'bad', paused: 'warn' }

function errorText(data: Data): string {
  return [say(data['name']), say(data['message'])].filter(Boolean).join(': ')
}

function because(data: Data): string {
  return typeof data['reason'] === 'string' && data['reason'] !== '' ? `: ${data['reason']}` : ''
}

function say(value: Json | undefined): string {
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : ''
}

function short(value: Json | undefined): string {
  if (value === undefined) return ''
  return typeof value === 'string' ? value : JSON.stringify(value).slice(0, LINE_CHARS)
}
