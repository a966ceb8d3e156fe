import { registerHooks } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { KocoError, RefusedError } from '@koco/core'
import { createCatalog, flowsOf, type Flow } from '@koco/flow'

/** A module of flows as it was loaded: its flows and the files that it is made of. */
export type LoadedFlows = { readonly flows: readonly Flow[]; readonly files: readonly string[] }

/*
 * Node keeps a module for ever under its URL. Each load therefore names the module with a version of its own, and a hook hands the version on to what it imports by relative
 * paths: an edit anywhere in the author's own files is seen. Packages are loaded once.
 */
const VERSION = 'koco-load'
let version = 0
let loading: { readonly tag: string; readonly files: Set<string> } | undefined
let hooked = false
/** A module that has not loaded by then awaits something that never comes. */
const PATIENCE_MS = 60_000

/** Loads a module of flows anew. RefusedError `bad_flows` with file and reason when it does not load, does not come to its end in time, or exports no flow. Loads must not overlap. */
export async function loadFlows(file: string, patienceMs = PATIENCE_MS): Promise<LoadedFlows> {
  hookImports()
  const current = { tag: `${VERSION}=${++version}`, files: new Set([file]) }
  loading = current
  try {
    const flows = await withinTime(importFlows(`${pathToFileURL(file).href}?${current.tag}`), patienceMs)
    if (flows.length === 0) throw new RefusedError(`${file} exports no flow: export what defineFlow gives.`, { code: 'bad_flows' })
    createCatalog(flows)
    return { flows, files: [...current.files] }
  } catch (error) {
    if (error instanceof KocoError && error.code === 'bad_flows') throw error
    throw new RefusedError(`${file} does not load: ${reason(error)}`, { code: 'bad_flows', cause: error, details: { files: [...current.files] } })
  } finally {
    loading = undefined
  }
}

/** Goes by way of another module: one that exports a function `then` would itself be taken for a promise, and be waited for without end. */
async function importFlows(url: string): Promise<Flow[]> {
  const through = `export * as module from ${JSON.stringify(url)}`
  const { module } = (await import(`data:text/javascript,${encodeURIComponent(through)}`)) as { readonly module: Readonly<Record<string, unknown>> }
  return flowsOf(module)
}

async function withinTime<T>(work: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    const why = `after ${ms / 1000} s it is still waiting for something at its top level (an await outside of its flows). Wait for it inside a flow.`
    timer = setTimeout(() => reject(new Error(why)), ms)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

function hookImports(): void {
  if (hooked) return
  hooked = true
  registerHooks({
    resolve(specifier, context, nextResolve) {
      const resolved = nextResolve(specifier, context)
      const tag = context.parentURL === undefined ? null : new URL(context.parentURL).searchParams.get(VERSION)
      if (tag === null || !/^\.{0,2}\//.test(specifier) || !resolved.url.startsWith('file:')) return resolved
      const url = new URL(resolved.url)
      loading?.files.add(fileURLToPath(url))
      url.searchParams.set(VERSION, tag)
      return { ...resolved, url: url.href }
    },
  })
}

function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const text = `${error.name === 'Error' ? '' : `${error.name}: `}${error.message}`.replaceAll(new RegExp(`\\?${VERSION}=\\d+`, 'g'), '')
  // V8 puts the place of a syntax error in the first line of the stack.
  const place = /^(file:[^\n]+):\d+$/m.exec((error.stack ?? '').split('\n')[0] ?? '')
  return place ? `${text} (${(error.stack ?? '').split('\n')[0]?.replace(/\?koco-load=\d+/, '')})` : text
}
