/** Why a panel closes a socket. Those of 44xx stand for HTTP's 4xx. After each of them a client may come again and resume from its position; after 4401 with a new token. */
export const CLOSE = {
  goingAway: { code: 1001, reason: 'the panel is shutting down; connect again and resume' },
  authTimeout: { code: 4408, reason: 'no auth message within 10 s' },
  badToken: { code: 4401, reason: 'the token is not valid, or no longer' },
  tooMany: { code: 4429, reason: 'too many connections of this user' },
  slow: { code: 4413, reason: 'the queue is full; connect again and resume' },
  unavailable: { code: 4503, reason: 'a store is away; connect again in a moment' },
} as const

/** One of the reasons. */
export type CloseReason = (typeof CLOSE)[keyof typeof CLOSE]
