import { EVENT_BYTES_MAX, parseJson, RefusedError, UnavailableError, type Json, type NewRun } from '@koco/core'
import type { FlowEntry } from '@koco/storage'
import type { FieldError, StartRun } from './launcher.ts'
import { jsonText } from './value.ts'

const NAMES_MAX = 20
/** What the `inputs` event adds around them. */
const INPUTS_FRAME_BYTES = 16

/** A run as it is created, of a flow as it is served now. RefusedError `not_json` for inputs that JSON cannot carry, `inputs_too_large` for those that no event can. */
export function newRun(fid: string, flow: Pick<FlowEntry, 'name' | 'version' | 'summary' | 'tags'>, start: StartRun, nowMs: number): NewRun {
  const { version, summary, tags } = flow
  const inputs = boundedInputs(start.inputs)
  return { fid, flow: flow.name, version, user: start.user, summary, tags, parent: start.parent ?? null, inputs, createdAt: nowMs / 1000 }
}

function boundedInputs(inputs: Json): Json {
  const text = jsonText(inputs, 'The inputs')
  const bytes = Buffer.byteLength(text) + INPUTS_FRAME_BYTES
  if (bytes <= EVENT_BYTES_MAX) return parseJson(text)
  throw new RefusedError(`The inputs have ${bytes} bytes; the limit is ${EVENT_BYTES_MAX}. Upload large data as a file and give its name.`, {
    code: 'inputs_too_large',
  })
}

/** Says that nobody serves a flow of this name, and which there are. */
export function unknownFlow(name: string, served: readonly string[]): RefusedError {
  const listed = served.length === 0 ? 'none is served' : `served are: ${served.slice(0, NAMES_MAX).join(', ')}${served.length > NAMES_MAX ? ', …' : ''}`
  return new RefusedError(`There is no flow "${name}" here; ${listed}. Serve it by its module: --flows.`, { code: 'unknown_flow' })
}

/** Says which inputs do not fit a flow. */
export function invalidInputs(flow: string, fields: readonly FieldError[]): RefusedError {
  const first = fields[0]
  const hint = first ? ` ${first.path === '' ? 'inputs' : first.path}: ${first.message}` : ''
  return new RefusedError(`The inputs do not fit flow "${flow}".${hint}`, { code: 'invalid_inputs', details: fields })
}

/** Lets an UnavailableError pass: what failed is made again later by somebody else. */
export function orUnavailable(error: unknown): void {
  if (!(error instanceof UnavailableError)) throw error
}
