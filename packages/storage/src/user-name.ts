const NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/

/** True for a name that a user may have: it is also a folder name. */
export function isUserName(text: string): boolean {
  return NAME.test(text)
}
