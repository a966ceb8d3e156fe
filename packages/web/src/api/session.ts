import type { Me, Providers } from '@koco/core/api'
import { queryOptions, type QueryClient } from '@tanstack/react-query'
import { api } from './client.ts'
import { ApiProblem } from './problem.ts'

/** Who is signed in; null for nobody. */
export const meQuery = queryOptions({
  queryKey: ['me'],
  staleTime: 5 * 60_000,
  queryFn: async ({ signal }): Promise<Me | null> => {
    try {
      return await api<Me>('/api/auth/me', { signal })
    } catch (error) {
      if (error instanceof ApiProblem && error.status === 401) return null
      throw error
    }
  },
})

/** Who else people may sign in with. */
export const providersQuery = queryOptions({
  queryKey: ['providers'],
  staleTime: 5 * 60_000,
  queryFn: ({ signal }) => api<Providers>('/api/auth/providers', { signal }),
})

/** Signs in; the cookie is the server's matter. Throws ApiProblem (401 wrong, 429 too often). */
export async function login(client: QueryClient, name: string, password: string): Promise<void> {
  await api('/api/auth/login', { method: 'POST', body: { login: name, password } })
  client.clear()
  await client.fetchQuery(meQuery)
}

/** Signs out and forgets everything that was read. */
export async function logout(client: QueryClient): Promise<void> {
  await api('/api/auth/logout', { method: 'POST' })
  client.clear()
  client.setQueryData(meQuery.queryKey, null)
}
