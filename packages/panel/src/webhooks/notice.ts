import { toJson, toJsonText, type Json } from '@koco/core'
import type { Delivery, ExecutionStore, Webhook } from '@koco/storage'

const PART_BYTES_MAX = 256 * 1024

/** The body of a notice: a CloudEvent 1.0 in structured JSON. It says what happened and where to read on; inputs, results and what a question shows only when the webhook asks for them, each up to 256 KiB. */
export async function noticeBody(delivery: Delivery, webhook: Webhook, store: ExecutionStore, publicUrl: string): Promise<string> {
  const { id, type, fid, lid, detail, at } = delivery
  const data = {
    event: type,
    webhook: webhook.id,
    ...(fid !== null && { run: { fid, flow: delivery.flow, user: delivery.user } }),
    ...(lid !== null && { question: { lid, name: detail } }),
    ...(fid === null && delivery.flow !== null && { flow: delivery.flow }),
    ...(lid === null && detail !== null && { detail }),
    links: linksOf(delivery, publicUrl),
    ...(webhook.bodies && (await bodiesOf(delivery, store))),
  }
  return toJsonText({
    specversion: '1.0',
    id,
    source: publicUrl,
    type: `koco.${type}.v1`,
    ...(fid !== null && { subject: fid }),
    time: new Date(at * 1000).toISOString(),
    datacontenttype: 'application/json',
    data: toJson(data),
  })
}

function linksOf({ type, fid, lid, flow, detail }: Delivery, publicUrl: string): Json {
  const page = (path: string) => `${publicUrl}${path}`
  if (type === 'dead.event') return { page: page('/operations'), api: page('/api/dead') }
  if (type === 'webhook.disabled') return { page: page('/webhooks'), api: page(`/api/webhooks/${detail}`) }
  if (fid === null && flow !== null) return { page: page(`/flows/${encodeURIComponent(flow)}`), api: page(`/api/flows/${encodeURIComponent(flow)}`) }
  if (fid === null) return { page: page('/operations') }
  const run = page(`/api/runs/${fid}`)
  return { page: page(`/runs/${fid}`), api: run, ...(lid !== null && { answer: `${run}/locks/${encodeURIComponent(lid)}` }) }
}

async function bodiesOf({ type, fid, lid }: Delivery, store: ExecutionStore): Promise<{ readonly [part: string]: Json }> {
  if (fid === null) return {}
  if (lid !== null) {
    const lock = await store.locks.get(fid, lid)
    return lock ? bounded({ form: toJson(lock.form), data: toJson(lock.data) }) : {}
  }
  const run = type.startsWith('run.') ? await store.runs.get(fid) : undefined
  return run ? bounded({ inputs: run.inputs, final: toJson(run.final), error: toJson(run.error) }) : {}
}

/** What is too large is null and named in `left_out`. */
function bounded(parts: Readonly<Record<string, Json>>): { readonly [part: string]: Json } {
  const large = Object.keys(parts).filter((name) => Buffer.byteLength(toJsonText(parts[name] ?? null)) > PART_BYTES_MAX)
  const fitting = Object.fromEntries(Object.entries(parts).map(([name, value]) => [name, large.includes(name) ? null : value]))
  return large.length === 0 ? fitting : { ...fitting, left_out: large }
}
