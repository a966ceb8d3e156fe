import type { ApiKey, BrowserSession, Page, SignIn, User } from '@koco/core/api'
import { queryOptions } from '@tanstack/react-query'
import { api } from './client.ts'

/** All users; for operators. */
export const usersQuery = queryOptions({
  queryKey: ['users'],
  queryFn: async ({ signal }) => (await api<Page<User>>('/api/users?limit=500', { signal })).items,
  staleTime: 10_000,
})

/** My keys, or those of all for operators. */
export function keysQuery(all: boolean) {
  return queryOptions({
    queryKey: ['keys', all],
    queryFn: async ({ signal }) => (await api<Page<ApiKey>>(`/api/keys${all ? '?all=true' : ''}`, { signal })).items,
    staleTime: 5000,
  })
}

/** My signed-in browsers. */
export const sessionsQuery = queryOptions({
  queryKey: ['sessions'],
  queryFn: async ({ signal }) => (await api<Page<BrowserSession>>('/api/auth/sessions', { signal })).items,
  staleTime: 5000,
})

/** My programs that are signed in by tokens. */
export const signInsQuery = queryOptions({
  queryKey: ['sign-ins'],
  queryFn: async ({ signal }) => (await api<Page<SignIn>>('/api/auth/sign-ins', { signal })).items,
  staleTime: 5000,
})

/** Signs one of my programs out; its tokens are refused at once. */
export function endSignIn(id: string): Promise<unknown> {
  return api(`/api/auth/sign-ins/${encodeURIComponent(id)}`, { method: 'DELETE' })
}

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
