import type { SignalBus } from '@koco/transport'
import type { Authenticator, Revoked } from './authenticator.ts'

/** Tells the other panels that a credential or a user was revoked. A word that is lost is made up for by their own look at the store, seconds later. */
export function tellRevoked(signals: SignalBus, what: Revoked): void {
  void signals.publish([{ topic: 'revoked', fid: 'credential' in what ? `credential:${what.credential}` : `user:${what.userId}` }])
}

/** Lets what other panels revoke count here at once; the result ends it. */
export async function hearRevoked(signals: SignalBus, auth: Authenticator): Promise<() => void> {
  return signals.subscribe('revoked', '*', ({ fid }) => {
    const [kind, ...name] = fid.split(':')
    if (kind === 'user') auth.heard({ userId: name.join(':') })
    else if (kind === 'credential') auth.heard({ credential: name.join(':') })
  })
}
