import { watch, type FSWatcher } from 'node:fs'
import { basename, dirname } from 'node:path'
import type { Catalog } from '@koco/flow'
import { KocoError } from '@koco/core'
import { loadFlows } from './load.ts'

/** Editors write a file in several steps. */
const SETTLE_MS = 150

/** Hears of each reload: the names of the flows, or why the edit does not load (the old flows stay). */
export type ReloadListener = (outcome: { readonly flows: readonly string[] } | { readonly error: string }) => void

/** Says in a log what became of each reload. */
export function reloadLog(log: { error(message: string): void; info(message: string): void }): ReloadListener {
  return (outcome) => {
    if ('error' in outcome) log.error(`The flows stay as they were: ${outcome.error}`)
    else log.info(`Flows reloaded: ${outcome.flows.join(', ')}`)
  }
}

/** Watches the files of a module of flows and puts its flows into the catalogue after each edit; a broken edit changes nothing. The result ends it. */
export function watchFlows(file: string, files: readonly string[], catalog: Pick<Catalog, 'replace'>, listener: ReloadListener): () => void {
  let watchers: FSWatcher[] = []
  let timer: NodeJS.Timeout | undefined
  let closed = false
  let turn: Promise<void> = Promise.resolve()

  const reload = async (): Promise<void> => {
    if (closed) return
    try {
      const loaded = await loadFlows(file)
      catalog.replace(loaded.flows)
      look(loaded.files)
      listener({ flows: loaded.flows.map((flow) => flow.name) })
    } catch (error) {
      const details = error instanceof KocoError ? (error.details as { files?: readonly string[] } | undefined) : undefined
      if (details?.files) look(details.files)
      listener({ error: error instanceof Error ? error.message : String(error) })
    }
  }
  const queueReload = (): void => {
    turn = turn.then(reload)
  }
  const look = (paths: readonly string[]): void => {
    if (closed) return
    for (const watcher of watchers) watcher.close()
    // Folders, not files: an editor replaces a file, and a watch on the old one would hear nothing more.
    const folders = Map.groupBy(paths, (path) => dirname(path))
    watchers = [...folders].map(([folder, inside]) => {
      const names = new Set(inside.map((path) => basename(path)))
      const watcher = watch(folder, (_event, name) => {
        if (name !== null && !names.has(name)) return
        clearTimeout(timer)
        timer = setTimeout(queueReload, SETTLE_MS)
      })
      return watcher.on('error', (error) => listener({ error: `${folder} can no longer be watched: ${error.message}` }))
    })
  }

  look(files)
  return () => {
    closed = true
    clearTimeout(timer)
    for (const watcher of watchers) watcher.close()
  }
}
