import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'

type ProtoJson = { fromJson(type: unknown, json: unknown, options: { readonly ignoreUnknownFields: boolean }): unknown }
type ProtoRoot = { lookupType(name: string): unknown }

/**
 * Reads a history that the temporal CLI wrote as JSON. The SDK does so too, but fails when npm gave it several copies of protobufjs: here the copy is that of the types themselves.
 */
export async function readHistory<T = unknown>(file: URL): Promise<T> {
  const ofSdk = createRequire(createRequire(import.meta.url).resolve('@temporalio/worker'))
  const ofTypes = createRequire(ofSdk.resolve('@temporalio/proto'))
  const { fromJson } = ofTypes('protobufjs/ext/protojson') as ProtoJson
  const { patchProtobufRoot } = ofTypes('@temporalio/proto/lib/patch-protobuf-root') as { patchProtobufRoot(root: unknown): ProtoRoot }
  const type = patchProtobufRoot(ofTypes('@temporalio/proto')).lookupType('temporal.api.history.v1.History')
  return fromJson(type, JSON.parse(await readFile(file, 'utf8')), { ignoreUnknownFields: true }) as T
}
