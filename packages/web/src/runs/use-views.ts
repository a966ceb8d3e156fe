import type { SavedView } from '@koco/core/api'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect } from 'react'
import { deleteView, saveView, viewsQuery } from '../api/views.ts'
import { notifyDone, notifyFailure } from '../app/notify.ts'
import { runsSearch, type RunsSearch } from './search.ts'

type Kept = { readonly name: string; readonly search: RunsSearch }

/** The views that this person sees, and what may be done with them. */
export function useViews(user: string) {
  const client = useQueryClient()
  const { data: views, error } = useQuery({ ...viewsQuery, enabled: user !== '' })
  const readAgain = () => client.invalidateQueries({ queryKey: viewsQuery.queryKey })
  const save = useMutation({ mutationFn: saveView, onSettled: readAgain, onError: (problem) => notifyFailure('The view was not saved', problem) })
  const remove = useMutation({
    mutationFn: ({ id }: SavedView) => deleteView(id),
    onSettled: readAgain,
    onSuccess: (_, { name, search, shared, mine }) =>
      notifyDone(`The view “${name}” is deleted.`, mine ? () => save.mutate({ name, search, shared }) : undefined),
    onError: (problem) => notifyFailure('The view was not deleted', problem),
  })
  useEffect(() => {
    if (views) void takeOver(user, views).then(async (taken) => taken && (await client.invalidateQueries({ queryKey: viewsQuery.queryKey })))
  }, [user, views, client])
  return { views, error, save: save.mutate, remove: remove.mutate }
}

/** Views were kept in the browser once: those go to the server, each once, and leave the browser. What cannot be sent now stays for the next time. True when some went. */
async function takeOver(user: string, views: readonly SavedView[]): Promise<boolean> {
  const key = `koco-views:${user}`
  const kept = keptHere(key)
  if (kept === undefined) return false
  localStorage.removeItem(key)
  const names = new Set(views.filter(({ mine }) => mine).map(({ name }) => name))
  const left = kept.filter(({ name }) => !names.has(name))
  while (left[0]) {
    try {
      await saveView({ name: left[0].name, search: runsSearch(left[0].search), shared: false })
      left.shift()
    } catch {
      localStorage.setItem(key, JSON.stringify(left))
      break
    }
  }
  return left.length < kept.length
}

function keptHere(key: string): Kept[] | undefined {
  const text = localStorage.getItem(key)
  if (text === null) return undefined
  try {
    const kept: unknown = JSON.parse(text)
    return Array.isArray(kept)
      ? kept.filter((view: Kept | null) => typeof view?.name === 'string' && view.name.trim() !== '' && typeof view.search === 'object')
      : []
  } catch {
    return []
  }
}
