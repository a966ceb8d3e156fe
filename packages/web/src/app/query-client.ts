import { MutationCache, QueryCache, QueryClient } from '@tanstack/react-query'
import { ApiProblem } from '../api/problem.ts'
import { meQuery } from '../api/session.ts'

/** The page's cache of what was read. Only what may pass by itself is tried again; a session that ended is noticed wherever it shows. */
export function createQueryClient(onSignedOut: () => void): QueryClient {
  const noticed = (error: unknown): void => {
    if (!(error instanceof ApiProblem) || error.status !== 401 || error.code === 'wrong_login') return
    if (client.getQueryData(meQuery.queryKey) == null) return
    client.setQueryData(meQuery.queryKey, null)
    onSignedOut()
  }
  const client = new QueryClient({
    queryCache: new QueryCache({ onError: noticed }),
    mutationCache: new MutationCache({ onError: noticed }),
    defaultOptions: {
      queries: {
        retry: (failures, error) => failures < 3 && error instanceof ApiProblem && (error.status === 0 || error.status >= 500 || error.status === 429),
        retryDelay: (failures) => Math.min(8000, 500 * 2 ** failures),
      },
      mutations: { retry: false },
    },
  })
  return client
}
