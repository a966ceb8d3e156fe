/** Why a sign-in with a provider failed, by the problem's stable code, for people. */
export const SIGN_IN_PROBLEMS: Readonly<Record<string, string>> = {
  sign_in_failed: 'The sign-in was not confirmed. Start it again.',
  sign_in_denied: 'You did not allow the sign-in there.',
  no_verified_address: 'Your account there has no verified e-mail address. Verify one there, then sign in again.',
  sign_up_closed: 'Nobody here has that account. Ask an operator.',
  account_off: 'Your account is turned off. An operator can turn it on.',
  user_exists: 'A user with your e-mail address already exists. Sign in with the password of that account, then connect the other one under Settings.',
  identity_exists: 'That account already belongs to somebody here.',
  provider_unavailable: 'The provider does not answer. Sign in another way, or try again in a while.',
}

/** The sentence for a code; undefined for none. */
export function signInProblem(code: string | undefined): string | undefined {
  return code === undefined ? undefined : (SIGN_IN_PROBLEMS[code] ?? 'The sign-in failed. Start it again.')
}
