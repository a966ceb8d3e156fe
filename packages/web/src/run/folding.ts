import { useState } from 'react'

/** Folds and unfolds: what is in a row (`kids`), its earlier tries, its details. */
export type Fold = (what: 'kids' | 'tries' | 'details', key: string) => void

/** What a person has folded and unfolded in a waterfall, kept while it is shown. */
export function useFolding() {
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set())
  const [tries, setTries] = useState<ReadonlySet<string>>(new Set())
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set())
  const set = { kids: setClosed, tries: setTries, details: setOpen }
  const fold: Fold = (what, key) => set[what]((before: ReadonlySet<string>) => toggled(before, key))
  return { closed, tries, open, fold, setClosed: (ids: readonly string[]) => setClosed(new Set(ids)) }
}

function toggled(set: ReadonlySet<string>, key: string): ReadonlySet<string> {
  const next = new Set(set)
  if (!next.delete(key)) next.add(key)
  return next
}
