import type { PanelContext } from '../context.ts'
import type { PanelDeps, PanelSettings } from '../options.ts'
import { createGitHub } from '../providers/github.ts'
import { createOidc } from '../providers/oidc.ts'
import type { Metrics } from '../server/metrics.ts'
import { createTickets } from '../sockets/tickets.ts'
import { createAccessTokens } from '../tokens/access-tokens.ts'
import { createSigningKeys } from '../tokens/signing-keys.ts'
import { createTokenSignIn } from '../tokens/token-sign-in.ts'
import { createAuthenticator, type Revoked } from './authenticator.ts'
import { createPasswords } from './passwords.ts'
import { hearRevoked, tellRevoked } from './revocations.ts'
import { createSeal } from './seal.ts'
import { createSignIn } from './sign-in.ts'

/** All that tells who somebody is: by password, key, token, or another's word. */
export type Identities = Pick<PanelContext, 'auth' | 'passwords' | 'signIn' | 'signingKeys' | 'tokens' | 'providers' | 'tickets'>

/** Puts the parts of sign-in together; what another panel revokes counts here from the moment the promise resolves until `close`. */
export async function createIdentities(
  { admin, signals, hashSecret, clock }: PanelDeps,
  settings: PanelSettings,
  metrics: Metrics,
): Promise<Identities & { close(): void }> {
  const passwords = createPasswords()
  const signingKeys = createSigningKeys(admin, createSeal(hashSecret, 'signing keys'), clock)
  const accessTokens = createAccessTokens(signingKeys, new URL(settings.publicUrl).origin, clock)
  const tell = (what: Revoked): void => tellRevoked(signals, what)
  const auth = createAuthenticator({ admin, hash: hashSecret, accessTokens, clock, ttlMs: settings.principalTtlMs, tell })
  const close = await hearRevoked(signals, auth)
  return {
    close,
    auth,
    passwords,
    signIn: createSignIn({ admin, passwords, clock, count: (outcome) => metrics.login(outcome) }),
    signingKeys,
    tickets: createTickets(admin, auth, hashSecret, clock),
    tokens: createTokenSignIn({ admin, hash: hashSecret, accessTokens, auth, clock }),
    providers: [...(settings.github ? [createGitHub(settings.github)] : []), ...(settings.oidc ? [createOidc(settings.oidc)] : [])],
  }
}
