import { existsSync, readFileSync } from 'node:fs'
import { must } from '@koco/core'
import { ADMIN_NAME, createApiKey, ensureAdmin, makePassword, type PanelSettings, type SecretHash } from '@koco/panel'
import type { AdminStore } from '@koco/storage'
import { keepKey } from '../panel-client/key.ts'
import type { Settings } from '../settings/schema.ts'

/** The first operator: made when there is none. `password` only when it was made just now, and nowhere else again. */
export async function firstAdmin(settings: Settings, admin: AdminStore): Promise<{ readonly name: string; readonly password: string | null }> {
  const { name, madePassword } = await ensureAdmin({ admin, email: settings.adminEmail, password: settings.adminPassword, makePassword, clock: Date.now })
  return { name, password: madePassword }
}

/** A key in `file` that this admin store knows, for the commands on this machine; made when there is none. */
export async function localKey(admin: AdminStore, hash: SecretHash, file: string): Promise<string> {
  const kept = existsSync(file) ? readFileSync(file, 'utf8').trim() : ''
  if (kept !== '' && (await admin.keys.byHash(hash(kept)))) return kept
  const operator = must(await admin.users.find(ADMIN_NAME), 'the first operator')
  const { key } = await createApiKey(admin, hash, { userId: operator.id, name: 'commands on this machine' }, Date.now())
  await keepKey(file, key)
  return key
}

/** How people may sign in, in the panel's words. */
export function signInSettings(settings: Settings): Pick<PanelSettings, 'publicUrl' | 'signUp' | 'github' | 'oidc'> {
  const { appServer, signUp, githubClientId, githubClientSecret, oidcIssuer, oidcClientId, oidcClientSecret } = settings
  return {
    publicUrl: appServer,
    signUp,
    github:
      githubClientId !== undefined && githubClientSecret !== undefined
        ? { clientId: githubClientId, clientSecret: githubClientSecret, url: settings.githubUrl, apiUrl: settings.githubApiUrl }
        : null,
    oidc:
      oidcIssuer !== undefined && oidcClientId !== undefined && oidcClientSecret !== undefined
        ? { issuer: oidcIssuer, clientId: oidcClientId, clientSecret: oidcClientSecret, name: settings.oidcName }
        : null,
  }
}
