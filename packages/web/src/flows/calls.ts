import { isJsonObject, type Json } from '@koco/core'
import { UPLOAD_EXAMPLE } from './example-inputs.ts'

/** The command that starts a flow with these inputs and follows it, ready to paste into a POSIX shell. */
export function cliCall(flow: string, inputs: Json): string {
  const pairs = isJsonObject(inputs) ? Object.entries(inputs) : []
  const options = pairs.map(([name, value]) => ` \\\n  --input ${quoted(`${name}=${shellValue(value)}`)}`)
  return `koco run ${quoted(flow)}${options.join('')} --follow`
}

/** The command sends a file by itself. */
function shellValue(value: Json): string {
  if (value === UPLOAD_EXAMPLE) return '@path'
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** The same call over HTTP. */
export function curlCall(origin: string, flow: string, inputs: Json): string {
  return [
    `curl -X POST ${origin}/api/runs`,
    `-H "authorization: Bearer $KODO_API_KEY"`,
    `-H "content-type: application/json"`,
    `-H "idempotency-key: $(uuidgen)"`,
    `-d ${quoted(JSON.stringify({ flow, inputs }))}`,
  ].join(' \\\n  ')
}

/** The same from a program: starts the run, shows its events as they come, and its result. */
export function typescriptCall(origin: string, flow: string, inputs: Json): string {
  return `import { KocoClient } from 'koco/client'

const koco = new KocoClient({ address: '${origin}', apiKey: process.env.KODO_API_KEY })
const { fid } = await koco.start(${JSON.stringify(flow)}, ${JSON.stringify(inputs, null, 2)})
for await (const event of koco.watch(fid)) console.log(event.kind, event.data)
console.log((await koco.get(fid)).final)`
}

/** A word for a POSIX shell. */
function quoted(text: string): string {
  return /^[\w./:=@%+,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}
