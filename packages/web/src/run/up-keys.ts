import { useHotkeys } from '@mantine/hooks'
import { useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { runQuery } from '../api/runs.ts'
import type { WholeRun } from '../api/shapes.ts'
import { notifyFailure } from '../app/notify.ts'

/** Runs that start runs are nested no deeper than this for the way up. */
const DEPTH_MAX = 50

/** U leads to the run that started this one, with Shift to the first of them. A run that nobody started stays. */
export function useUpKeys(run: WholeRun): void {
  const client = useQueryClient()
  const navigate = useNavigate()
  const go = (fid: string | null) => fid !== null && void navigate({ to: '/runs/$fid', params: { fid } })
  const toRoot = async () => {
    let root = run.parent
    try {
      for (let depth = 0; root !== null && depth < DEPTH_MAX; depth += 1) {
        const { parent } = await client.fetchQuery(runQuery(root))
        if (parent === null) break
        root = parent
      }
    } catch (error) {
      // A run further up may be another person's: then the highest that may be seen is where it ends.
      notifyFailure('The way up ends here', error)
    }
    go(root)
  }
  useHotkeys([
    ['u', () => go(run.parent)],
    ['shift+U', () => void toRoot()],
  ])
}
