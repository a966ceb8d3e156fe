import { queryOptions } from '@tanstack/react-query'
import { api } from './client.ts'
import type { ListPage, Me } from './shapes.ts'

/** Somebody who may sign in. */
export type User = {
  readonly id: string
  readonly name: string
  readonly email: string
  readonly role: Me['user']['role']
  readonly active: boolean
  readonly created_at: number
}

/** A program's key; its text was shown when it was made. */
export type ApiKey = {
  readonly id: string
  readonly name: string
  readonly prefix: string
  readonly user: string | null
  readonly created_at: number
  readonly used_at: number | null
}

/** A signed-in browser of the person who asks. */
export type Session = {
  readonly id: string
  readonly agent: string
  readonly created_at: number
  readonly seen_at: number
  readonly expires_at: number
  readonly current: boolean
}

/** All users; for operators. */
export const usersQuery = queryOptions({
  queryKey: ['users'],
  queryFn: async ({ signal }) => (await api<ListPage<User>>('/api/users?limit=500', { signal })).items,
  staleTime: 10_000,
})

/** My keys, or those of all for operators. */
export function keysQuery(all: boolean) {
  return queryOptions({
    queryKey: ['keys', all],
    queryFn: async ({ signal }) => (await api<ListPage<ApiKey>>(`/api/keys${all ? '?all=true' : ''}`, { signal })).items,
    staleTime: 5000,
  })
}

/** My signed-in browsers. */
export const sessionsQuery = queryOptions({
  queryKey: ['sessions'],
  queryFn: async ({ signal }) => (await api<ListPage<Session>>('/api/auth/sessions', { signal })).items,
  staleTime: 5000,
})

/** Adds a user; `password` is shown this one time. */
export function addUser(
  user: { readonly name: string; readonly email: string; readonly role: string },
  key: string,
): Promise<User & { readonly password: string }> {
  return api('/api/users', { method: 'POST', body: user, key })
}

/** Changes a user; deactivating one ends their sessions at once. */
export function changeUser(id: string, change: Partial<Pick<User, 'role' | 'active' | 'email'>>): Promise<User> {
  return api(`/api/users/${id}`, { method: 'PATCH', body: change })
}

/** Makes a key for the person who asks; `key` is shown this one time. */
export function makeKey(name: string, key: string): Promise<ApiKey & { readonly key: string }> {
  return api('/api/keys', { method: 'POST', body: { name }, key })
}

/** Deletes a key; it is refused at once. */
export function deleteKey(id: string): Promise<unknown> {
  return api(`/api/keys/${id}`, { method: 'DELETE' })
}

/** Ends one of my sessions. */
export function endSession(id: string): Promise<unknown> {
  return api(`/api/auth/sessions/${id}`, { method: 'DELETE' })
}
