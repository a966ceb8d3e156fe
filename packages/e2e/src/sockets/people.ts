import type { GitHubServer } from '@koco/testing'

/** The settings for sign-in with a stand-in for GitHub, by which newcomers become users. */
export function gitHubSettings(github: GitHubServer): Record<string, string> {
  return {
    KODO_SIGN_UP: 'user',
    KODO_GITHUB_CLIENT_ID: github.clientId,
    KODO_GITHUB_CLIENT_SECRET: github.clientSecret,
    KODO_GITHUB_URL: github.url,
    KODO_GITHUB_API_URL: github.url,
  }
}

/** A person signs in with GitHub, the whole way as a browser goes it; gives the session cookie. */
export async function signInWithGitHub(address: string, github: GitHubServer, id: number): Promise<string> {
  github.signInAs({ id, login: `person-${id}`, emails: [{ email: `person-${id}@people.example`, primary: true, verified: true }] })
  const begun = await fetch(`${address}/api/auth/sign-in/github`, { redirect: 'manual' })
  const cookies = cookiesOf(begun)
  const sent = await fetch(begun.headers.get('location') ?? '', { redirect: 'manual' })
  const back = await fetch(sent.headers.get('location') ?? '', { redirect: 'manual', headers: { cookie: cookies } })
  if (back.status !== 303) throw new Error(`the sign-in answered ${back.status}: ${await back.text()}`)
  return cookiesOf(back)
}

/** A program's tokens of somebody who is signed in. */
export async function accessToken(address: string, cookie: string): Promise<string> {
  const answer = await fetch(`${address}/api/auth/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', cookie },
    body: JSON.stringify({ grant_type: 'session' }),
  })
  return ((await answer.json()) as { access_token: string }).access_token
}

/** One figure of the panel's metrics, without labels; NaN when it is not there. */
export async function metric(address: string, name: string): Promise<number> {
  const text = await (await fetch(`${address}/metrics`)).text()
  return Number(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'm').exec(text)?.[1])
}

function cookiesOf(response: Response): string {
  return response.headers
    .getSetCookie()
    .map((line) => line.split(';')[0] ?? '')
    .filter((pair) => !pair.endsWith('='))
    .join('; ')
}
