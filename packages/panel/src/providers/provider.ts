import { createHash } from 'node:crypto'
import { UnavailableError } from '@koco/core'
import { ProblemError } from '../server/problems.ts'

/** Somebody else who vouches for people: GitHub, or an OpenID provider. */
export type Provider = {
  readonly id: ProviderId
  /** As people call it. */
  readonly name: string
  /** Where the person is sent to sign in. */
  begin(attempt: Attempt): Promise<URL>
  /**
   * Who came back, from the address they came back to. Problem 401 `sign_in_failed` when the provider does not stand by it, 403 `sign_in_denied` when the person said no, 403
   * `no_verified_address`; UnavailableError `provider_unavailable`.
   */
  finish(attempt: Attempt, answer: URLSearchParams): Promise<Vouched>
}

/** The providers that there can be. */
export const PROVIDER_IDS = ['github', 'oidc'] as const

/** One of `PROVIDER_IDS`. */
export type ProviderId = (typeof PROVIDER_IDS)[number]

/** One sign-in under way: what only this browser and this panel know of it (`state`, the PKCE `verifier`, the `nonce`), and where the provider sends the person back to. */
export type Attempt = { readonly state: string; readonly verifier: string; readonly nonce: string; readonly redirectUri: string }

/** Who a provider says that somebody is. `subject` never changes there; `email` is verified. */
export type Vouched = { readonly issuer: string; readonly subject: string; readonly login: string; readonly email: string }

/** How long a provider may take to answer. */
export const PROVIDER_MS = 10_000

/** The PKCE challenge of a verifier, S256 (RFC 7636). */
export function challengeOf(verifier: string): string {
  return createHash('sha256').update(verifier).digest('base64url')
}

/** Says that a provider did not stand by a sign-in. */
export function signInFailed(name: string, why: string, cause?: unknown): ProblemError {
  const problem = new ProblemError(401, 'sign_in_failed', `${name} did not confirm this sign-in (${why}). Start again from the sign-in page.`)
  if (cause !== undefined) problem.cause = cause
  return problem
}

/** Says that the person, or the provider for them, said no. */
export function signInDenied(name: string): ProblemError {
  return new ProblemError(403, 'sign_in_denied', `The sign-in with ${name} was not allowed there.`)
}

/** Says that the provider knows no address of the person that it has checked. */
export function noVerifiedAddress(name: string): ProblemError {
  return new ProblemError(403, 'no_verified_address', `${name} has no verified primary e-mail address of you; verify one there, then sign in again.`)
}

/** Says that the provider does not answer. */
export function providerAway(name: string, cause: unknown): UnavailableError {
  return new UnavailableError(`${name} does not answer; sign in another way, or try again in a while.`, { code: 'provider_unavailable', cause })
}
