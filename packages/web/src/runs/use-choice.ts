import { useCallback, useState } from 'react'

/** The runs that a person has chosen in the list. `chosen` is null while nothing is being chosen; `all` stands for all that match. */
export function useChoice() {
  const [chosen, setChosen] = useState<ReadonlySet<string> | null>(null)
  const [all, setAll] = useState(false)
  const choose = useCallback((fid: string) => {
    setAll(false)
    setChosen((now) => {
      const next = new Set(now)
      if (!next.delete(fid)) next.add(fid)
      return next
    })
  }, [])
  const set = useCallback((fids: readonly string[] | null, everything = false) => {
    setAll(everything)
    setChosen(fids === null ? null : new Set(fids))
  }, [])
  return { chosen, all, choose, set }
}
