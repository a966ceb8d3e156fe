import { z } from 'zod'
import { challengeOf, noVerifiedAddress, PROVIDER_MS, providerAway, signInDenied, signInFailed, type Attempt, type Provider } from './provider.ts'

/** An OAuth app at GitHub. `url` and `apiUrl` are others for an Enterprise server. */
export type GitHubSettings = { readonly clientId: string; readonly clientSecret: string; readonly url: string; readonly apiUrl: string }

const NAME = 'GitHub'
const TokenAnswer = z.object({ access_token: z.string().min(1), token_type: z.string() })
const UserAnswer = z.object({ id: z.number().int().positive().max(Number.MAX_SAFE_INTEGER), login: z.string().min(1).max(100) })
const EmailsAnswer = z.array(z.object({ email: z.string().max(320), primary: z.boolean(), verified: z.boolean() }))

/** Sign-in with GitHub: OAuth with state and PKCE; people are known by their numeric id there, since a name may go to somebody else. */
export function createGitHub({ clientId, clientSecret, url, apiUrl }: GitHubSettings): Provider {
  async function askToken({ verifier, redirectUri }: Attempt, code: string): Promise<string> {
    const body = new URLSearchParams({ client_id: clientId, client_secret: clientSecret, code, redirect_uri: redirectUri, code_verifier: verifier })
    const answer = await ask(`${url}/login/oauth/access_token`, { method: 'POST', headers: { accept: 'application/json' }, body })
    // What is wrong with a code comes with status 200 too.
    const token = TokenAnswer.safeParse(answer)
    if (!token.success) throw signInFailed(NAME, 'the code was refused')
    return token.data.access_token
  }

  return {
    id: 'github',
    name: NAME,
    async begin({ state, verifier, redirectUri }) {
      const at = new URL(`${url}/login/oauth/authorize`)
      at.search = new URLSearchParams({
        client_id: clientId,
        redirect_uri: redirectUri,
        scope: 'read:user user:email',
        state,
        code_challenge: challengeOf(verifier),
        code_challenge_method: 'S256',
      }).toString()
      return at
    },
    async finish(attempt, answer) {
      if (answer.get('error') === 'access_denied') throw signInDenied(NAME)
      const code = answer.get('code')
      if (answer.get('state') !== attempt.state || code === null || code === '') throw signInFailed(NAME, 'it is not the one that was begun')
      const token = await askToken(attempt, code)
      const headers = { accept: 'application/vnd.github+json', authorization: `Bearer ${token}`, 'user-agent': 'koco', 'x-github-api-version': '2022-11-28' }
      const [user, emails] = await Promise.all([ask(`${apiUrl}/user`, { headers }), ask(`${apiUrl}/user/emails?per_page=100`, { headers })])
      const who = UserAnswer.safeParse(user)
      const addresses = EmailsAnswer.safeParse(emails)
      if (!who.success || !addresses.success) throw signInFailed(NAME, 'it did not say who you are')
      const own = addresses.data.find(({ primary, verified }) => primary && verified)
      if (!own) throw noVerifiedAddress(NAME)
      return { issuer: 'github', subject: String(who.data.id), login: who.data.login, email: own.email }
    },
  }
}

/** The JSON of an answer; undefined for a refusal. */
async function ask(address: string, init: RequestInit): Promise<unknown> {
  let answer: Response
  try {
    answer = await fetch(address, { ...init, redirect: 'error', signal: AbortSignal.timeout(PROVIDER_MS) })
    if (answer.ok) return await answer.json()
    await answer.body?.cancel()
  } catch (error) {
    throw providerAway(NAME, error)
  }
  if (answer.status >= 500) throw providerAway(NAME, new Error(`status ${answer.status}`))
  return undefined
}
