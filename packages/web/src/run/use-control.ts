import { useMutation, useQueryClient } from '@tanstack/react-query'
import { archiveRun, controlRun, runQuery, type RunAction } from '../api/runs.ts'
import type { WholeRun } from '../api/shapes.ts'
import { notifyDone, notifyFailure } from '../app/notify.ts'

const FAILED: Readonly<Record<RunAction, string>> = {
  pause: 'Could not pause',
  resume: 'Could not resume',
  cancel: 'Could not cancel',
  retry: 'Could not retry',
}
const ASKED: Readonly<Record<RunAction, string>> = {
  pause: 'It pauses at the next step border.',
  resume: 'It goes on.',
  cancel: 'It is being cancelled; what is there stays.',
  retry: 'It starts again; finished steps are kept.',
}
/** What takes an action back. A cancel and a retry cannot be taken back. */
const UNDO: Partial<Record<RunAction, RunAction>> = { pause: 'resume', resume: 'pause' }

/** True for a run that was read from a file: it takes no requests but to be archived. */
export function isImported(run: WholeRun): boolean {
  return run.launcher === 'import'
}

/** Asks something of a run and says what came of it, with a way back where there is one. */
export function useControl(fid: string) {
  const client = useQueryClient()
  const control = useMutation({
    mutationFn: (action: RunAction) => controlRun(fid, action),
    onSuccess: (_answer, action) => {
      const back = UNDO[action]
      notifyDone(ASKED[action], back && (() => control.mutate(back)))
    },
    onError: (error, action) => notifyFailure(FAILED[action], error),
    onSettled: () => client.invalidateQueries({ queryKey: runQuery(fid).queryKey }),
  })
  return control
}

/** Hides a run from lists or shows it again; either can be taken back. */
export function useArchive(fid: string) {
  const client = useQueryClient()
  const archive = useMutation({
    mutationFn: (archived: boolean) => archiveRun(fid, archived),
    onSuccess: (_answer, archived) => {
      notifyDone(archived ? 'Archived: lists do not show it any more.' : 'Lists show it again.', () => archive.mutate(!archived))
      void client.invalidateQueries({ queryKey: runQuery(fid).queryKey })
      void client.invalidateQueries({ queryKey: ['runs'] })
    },
    onError: (error) => notifyFailure('Could not archive', error),
  })
  return archive
}
