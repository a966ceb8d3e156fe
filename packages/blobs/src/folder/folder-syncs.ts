import { syncFolder } from './durable.ts'

type Running = { readonly done: Promise<void>; next: Promise<void> | undefined }

/** Waits until the names in folders are on disk. Whoever asks while a sync of the same folder is under way shares the one after it, which begins after all of them had asked. */
export class FolderSyncs {
  readonly #running = new Map<string, Running>()
  readonly #syncNow: (path: string) => Promise<void>

  /** `syncNow`: for tests. */
  constructor(syncNow: (path: string) => Promise<void> = syncFolder) {
    this.#syncNow = syncNow
  }

  sync(path: string): Promise<void> {
    const running = this.#running.get(path)
    if (!running) return this.#start(path)
    const after = (): Promise<void> => this.#start(path)
    return (running.next ??= running.done.then(after, after))
  }

  #start(path: string): Promise<void> {
    const running: Running = { done: this.#syncNow(path), next: undefined }
    this.#running.set(path, running)
    const end = (): void => {
      if (this.#running.get(path) === running && !running.next) this.#running.delete(path)
    }
    running.done.then(end, end)
    return running.done
  }
}
