import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

/** Somebody with an account at the stand-in. */
export type GitHubPerson = { readonly id: number; readonly login: string; readonly emails: readonly { email: string; primary: boolean; verified: boolean }[] }

/** A server on this machine that speaks GitHub's endpoints for OAuth apps as strictly as GitHub does: exact client and redirect, PKCE by S256, codes that are good one time. */
export type GitHubServer = {
  readonly url: string
  readonly clientId: string
  readonly clientSecret: string
  /** Who sits at the browser that comes to sign in next; null says no. */
  signInAs(person: GitHubPerson | null): void
  stop(): Promise<void>
}

type Grant = { readonly person: GitHubPerson; readonly challenge: string; readonly redirectUri: string }
type State = { person: GitHubPerson | null; readonly codes: Map<string, Grant>; readonly tokens: Map<string, GitHubPerson> }

const CLIENT = { clientId: 'Iv1.stand-in', clientSecret: 'secret-of-the-stand-in' }

/** Starts a stand-in for GitHub on a free port. */
export async function startGitHub(): Promise<GitHubServer> {
  const state: State = { person: null, codes: new Map(), tokens: new Map() }
  const server = createServer((request, response) => {
    answer(state, request, response).catch((error: unknown) => response.writeHead(500).end(String(error)))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    ...CLIENT,
    signInAs: (person) => (state.person = person),
    async stop() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

async function answer(state: State, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://localhost')
  const route = `${request.method ?? ''} ${url.pathname}`
  if (route === 'GET /login/oauth/authorize') return authorize(state, url.searchParams, response)
  if (route === 'POST /login/oauth/access_token') return json(response, 200, exchange(state, new URLSearchParams(await text(request))))
  const person = state.tokens.get((request.headers.authorization ?? '').replace('Bearer ', ''))
  if (!person) return json(response, 401, { message: 'Bad credentials' })
  if (route === 'GET /user') return json(response, 200, { id: person.id, login: person.login, email: null })
  if (route === 'GET /user/emails') return json(response, 200, person.emails)
  return json(response, 404, { message: 'Not Found' })
}

function authorize(state: State, query: URLSearchParams, response: ServerResponse): void {
  const challenge = query.get('code_challenge') ?? ''
  const redirectUri = query.get('redirect_uri') ?? ''
  if (query.get('client_id') !== CLIENT.clientId || query.get('code_challenge_method') !== 'S256' || challenge === '' || !URL.canParse(redirectUri)) {
    return json(response, 400, { error: 'bad_request' })
  }
  const back = new URL(redirectUri)
  back.searchParams.set('state', query.get('state') ?? '')
  if (state.person) {
    const code = randomBytes(10).toString('hex')
    state.codes.set(code, { person: state.person, challenge, redirectUri })
    back.searchParams.set('code', code)
  } else {
    back.searchParams.set('error', 'access_denied')
  }
  response.writeHead(302, { location: back.href }).end()
}

/** GitHub tells refusals with status 200. */
function exchange(state: State, form: URLSearchParams): object {
  if (form.get('client_id') !== CLIENT.clientId || form.get('client_secret') !== CLIENT.clientSecret) return { error: 'incorrect_client_credentials' }
  const code = form.get('code') ?? ''
  const grant = state.codes.get(code)
  state.codes.delete(code)
  const challenge = createHash('sha256')
    .update(form.get('code_verifier') ?? '')
    .digest('base64url')
  if (!grant || grant.challenge !== challenge || grant.redirectUri !== form.get('redirect_uri')) return { error: 'bad_verification_code' }
  const token = `gho_${randomBytes(18).toString('hex')}`
  state.tokens.set(token, grant.person)
  return { access_token: token, token_type: 'bearer', scope: 'read:user,user:email' }
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
