/** The calls of a flow that wait for something outside. */
export class PendingCalls {
  readonly #entries = new Set<{ readonly unwind: (reason: Error) => void; readonly cancel: () => void }>()

  /** A call that `start` begins and may resolve, and gives what takes it back; `unregister` is called when it is over. */
  add<T>(unregister: () => void, start: (resolve: (value: T) => void) => () => void): Promise<T> {
    return new Promise((resolve, reject) => {
      let cancel = (): void => undefined
      const settle = (action: () => void): void => {
        if (!this.#entries.delete(entry)) return
        cancel()
        action()
        unregister()
      }
      const entry = { unwind: (reason: Error) => settle(() => reject(reason)), cancel: () => cancel() }
      this.#entries.add(entry)
      cancel = start((value) => settle(() => resolve(value)))
    })
  }

  /** Rejects all of them. */
  unwind(reason: Error): void {
    for (const { unwind } of this.#entries) unwind(reason)
  }

  /** Takes all back; they never settle. */
  forget(): void {
    for (const { cancel } of this.#entries) cancel()
    this.#entries.clear()
  }
}
