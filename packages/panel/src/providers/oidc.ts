import * as client from 'openid-client'
import { z } from 'zod'
import { isLoopbackName } from '../server/cross-site.ts'
import { challengeOf, noVerifiedAddress, PROVIDER_MS, providerAway, signInDenied, signInFailed, type Provider, type Vouched } from './provider.ts'

/** A client at an OpenID provider; `name` is what people call it. */
export type OidcSettings = { readonly issuer: string; readonly clientId: string; readonly clientSecret: string; readonly name: string }

const Claims = z.object({
  sub: z.string().min(1).max(255),
  email: z.string().min(1).max(320).optional(),
  email_verified: z.union([z.boolean(), z.enum(['true', 'false']).transform((text) => text === 'true')]).optional(),
  preferred_username: z.string().max(255).optional(),
})

/** Sign-in with an OpenID provider that is found by discovery: authorization code with state, nonce and PKCE. */
export function createOidc({ issuer, clientId, clientSecret, name }: OidcSettings): Provider {
  let found: Promise<client.Configuration> | undefined

  async function discover(): Promise<client.Configuration> {
    const server = new URL(issuer)
    // Without https only on this machine: everywhere else somebody could speak for the provider.
    const execute = server.protocol === 'http:' && isLoopbackName(server.host) ? [client.allowInsecureRequests] : []
    const config = await client.discovery(server, clientId, clientSecret, undefined, { execute, timeout: PROVIDER_MS / 1000 })
    return config
  }

  function configuration(): Promise<client.Configuration> {
    found ??= discover().catch((error: unknown) => {
      found = undefined
      throw providerAway(name, error)
    })
    return found
  }

  /** What the ID token leaves out may stand at the userinfo endpoint. */
  async function claimsOf(config: client.Configuration, tokens: Tokens): Promise<z.infer<typeof Claims>> {
    const inToken = Claims.parse(tokens.claims() ?? {})
    if (inToken.email !== undefined && inToken.email_verified !== undefined) return inToken
    if (config.serverMetadata().userinfo_endpoint === undefined) return inToken
    return { ...inToken, ...Claims.parse(await client.fetchUserInfo(config, tokens.access_token, inToken.sub)) }
  }

  return {
    id: 'oidc',
    name,
    async begin({ state, verifier, nonce, redirectUri }) {
      return client.buildAuthorizationUrl(await configuration(), {
        redirect_uri: redirectUri,
        scope: 'openid email profile',
        state,
        nonce,
        code_challenge: challengeOf(verifier),
        code_challenge_method: 'S256',
      })
    },
    async finish({ state, verifier, nonce, redirectUri }, answer) {
      if (answer.get('error') === 'access_denied') throw signInDenied(name)
      const config = await configuration()
      const at = new URL(redirectUri)
      at.search = answer.toString()
      try {
        const checks = { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true }
        const tokens = await client.authorizationCodeGrant(config, at, checks)
        return vouched(issuer, name, await claimsOf(config, tokens))
      } catch (error) {
        throw failure(name, error)
      }
    },
  }
}

type Tokens = Awaited<ReturnType<typeof client.authorizationCodeGrant>>

function vouched(issuer: string, name: string, { sub, email, email_verified: verified, preferred_username: login }: z.infer<typeof Claims>): Vouched {
  if (email === undefined || verified !== true) throw noVerifiedAddress(name)
  return { issuer, subject: sub, login: login ?? email.slice(0, email.indexOf('@')), email }
}

/** What the library found wrong is a refusal; what the network did is an outage. */
function failure(name: string, error: unknown): unknown {
  if (error instanceof client.ClientError || error instanceof client.ResponseBodyError || error instanceof client.AuthorizationResponseError) {
    const isAway = error instanceof client.ClientError && (error.code === 'OAUTH_TIMEOUT' || error.code === 'OAUTH_ABORT')
    return isAway ? providerAway(name, error) : signInFailed(name, 'the answer was not valid', error)
  }
  if (error instanceof z.ZodError) return signInFailed(name, 'it did not say who you are', error)
  if (error instanceof TypeError) return providerAway(name, error)
  return error
}
