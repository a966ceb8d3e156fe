import { canonicalJson, ORIGIN, parseJson, toJson, type EventData, type Json, type Position } from '@koco/core'
import type { ExecutionStore } from '@koco/storage'
import { hash } from 'node:crypto'
import type { PanelDeps } from '../options.ts'

/** A step of one run: how often it was tried, how long its last try took, what its model calls spent, and what came out. Null where it has not ended. */
export type ComparedStep = {
  readonly status: 'finished' | 'failed' | 'open'
  readonly tries: number
  readonly durationS: number | null
  readonly tokens: number
  readonly cost: number | null
  readonly result: Json
}

/** One step in both runs, by its id: group, name, and key or count. `same`: it came out alike. */
export type StepPair = { readonly id: string; readonly name: string; readonly a: ComparedStep | null; readonly b: ComparedStep | null; readonly same: boolean }

type Step = EventData['step']
/** `mark`: equal for equal results, however long. */
type Found = ComparedStep & { readonly name: string; readonly mark: string }

const PAGE = 1000
const STEPS_MAX = 5_000
/** A result in a comparison is there to be looked at; the whole is in the run. */
const RESULT_CHARS_MAX = 20_000
/** How many results that lie elsewhere are read of a run; of others a comparison tells only whether they are alike. */
const READ_MAX = 100

/** The steps of two runs side by side, in the order of the first run; what only the second has stands behind the step that came before it there. */
export async function pairSteps(store: Pick<PanelDeps, 'contents'> & Pick<ExecutionStore, 'reader'>, a: string, b: string): Promise<StepPair[]> {
  const [left, right] = [await stepsOf(store, a), await stepsOf(store, b)]
  return order([...left.keys()], [...right.keys()]).map((id) => {
    const [one, other] = [left.get(id), right.get(id)]
    return { id, name: one?.name ?? other?.name ?? id, a: one ?? null, b: other ?? null, same: isSame(one, other) }
  })
}

/** Both orders in one: the first as it is, the others after their predecessors. */
function order(first: readonly string[], second: readonly string[]): string[] {
  const known = new Set(first)
  const after = new Map<string | undefined, string[]>()
  let last: string | undefined
  for (const id of second) {
    if (known.has(id)) last = id
    else after.set(last, [...(after.get(last) ?? []), id])
  }
  return [...(after.get(undefined) ?? []), ...first.flatMap((id) => [id, ...(after.get(id) ?? [])])]
}

async function stepsOf({ reader, contents }: Parameters<typeof pairSteps>[0], fid: string): Promise<Map<string, Found>> {
  const steps = new Map<string, Found>()
  let left = READ_MAX
  for (let after: Position = ORIGIN; steps.size < STEPS_MAX;) {
    const page = await reader.read(fid, { after, limit: PAGE, kinds: ['step', 'model'] })
    for (const record of page.records) {
      if (record.kind === 'step') {
        const step = parseJson(record.data) as unknown as Step
        const content = step.phase === 'finished' ? step.content : undefined
        noteStep(steps, step, content && left-- > 0 ? shown(parseJson(await contents.read(content))) : undefined)
      } else if (record.step !== null) noteModel(steps, record.step, parseJson(record.data) as unknown as EventData['model'])
    }
    if (page.caughtUp) break
    after = page.scanned
  }
  return steps
}

/** `read`: a result that the event only names, as it is shown. */
function noteStep(steps: Map<string, Found>, step: Step, read: Json | undefined): void {
  if (step.id.startsWith('$')) return
  const before = steps.get(step.id) ?? { name: step.name, status: 'open', tries: 0, durationS: null, tokens: 0, cost: null, result: null, mark: '' }
  if (step.phase === 'started') steps.set(step.id, { ...before, tries: Math.max(before.tries, step.try) })
  else {
    const content = step.phase === 'finished' ? step.content : undefined
    const whole = step.phase === 'finished' ? step.result : toJson(step.error)
    const result = content ? (read ?? { ...content }) : shown(whole)
    const mark = content ? content.sha256 : sha256(canonicalJson(whole))
    steps.set(step.id, { ...before, status: step.phase, tries: Math.max(before.tries, step.try), durationS: step.duration_s, result, mark })
  }
}

function noteModel(steps: Map<string, Found>, id: string, { tokens, cost }: EventData['model']): void {
  const step = steps.get(id)
  if (!step) return
  const count = Object.values(tokens).reduce((sum, one) => sum + one, 0)
  steps.set(id, { ...step, tokens: step.tokens + count, cost: cost === null ? step.cost : (step.cost ?? 0) + cost })
}

function shown(result: Json): Json {
  const text = typeof result === 'string' ? result : canonicalJson(result)
  return text.length > RESULT_CHARS_MAX ? `${text.slice(0, RESULT_CHARS_MAX)}…` : result
}

function isSame(a: Found | undefined, b: Found | undefined): boolean {
  return a !== undefined && b !== undefined && a.status === b.status && a.mark === b.mark
}

function sha256(text: string): string {
  return hash('sha256', text, 'hex')
}
