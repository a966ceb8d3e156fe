/** The tabs of a run. */
export const RUN_TABS = ['timeline', 'steps', 'replay', 'result', 'files', 'logs', 'inputs', 'about'] as const

/** One of them. */
export type RunTab = (typeof RUN_TABS)[number]

/** What the URL of a run says: the tab (without one: what fits the run), the kinds that are shown, the event that is looked at, the words that are looked for. */
export type RunSearch = { readonly tab?: RunTab; readonly kinds?: string; readonly at?: string; readonly q?: string }

/** The search of a URL, without what it cannot mean. */
export function runSearch(search: Record<string, unknown>): RunSearch {
  const tab = RUN_TABS.find((one) => one === search['tab'])
  const text = (name: string) => (typeof search[name] === 'string' ? search[name].slice(0, 200) : '')
  return {
    ...(tab && { tab }),
    ...(text('kinds') !== '' && { kinds: text('kinds') }),
    ...(text('at') !== '' && { at: text('at') }),
    ...(text('q') !== '' && { q: text('q') }),
  }
}
