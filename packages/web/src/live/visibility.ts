/** Whether a person can see the page. */
export type Visibility = {
  readonly hidden: () => boolean
  /** Resolves when the page is seen (again) or the signal aborts. */
  readonly shown: (signal: AbortSignal) => Promise<void>
}

/** For surroundings without a page. */
export const alwaysVisible: Visibility = { hidden: () => false, shown: () => Promise.resolve() }

/** The visibility of a document. */
export function visibilityOf(page: Document): Visibility {
  return {
    hidden: () => page.visibilityState === 'hidden',
    shown: (signal) =>
      new Promise((resolve) => {
        const check = () => {
          if (page.visibilityState === 'hidden' && !signal.aborted) return
          page.removeEventListener('visibilitychange', check)
          signal.removeEventListener('abort', check)
          resolve()
        }
        page.addEventListener('visibilitychange', check)
        signal.addEventListener('abort', check)
        check()
      }),
  }
}
