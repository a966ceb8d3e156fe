import { isPostgres, panelListen } from './addresses.ts'
import type { Settings } from './schema.ts'

/** One sentence with the remedy for each combination of settings that cannot work. */
export function checkCombinations(settings: Settings): string[] {
  const faults: string[] = []
  if (settings.executionMode === 'temporal' && settings.eventTransport === 'memory') {
    faults.push('KODO_EXECUTION_MODE=temporal runs flows in other processes, which memory cannot reach: set KODO_EVENT_TRANSPORT=redis and KODO_REDIS_URL')
  }
  if (settings.eventTransport === 'redis' && settings.redisUrl === undefined) {
    faults.push('KODO_EVENT_TRANSPORT=redis needs KODO_REDIS_URL, e.g. redis://localhost:6379')
  }
  if (settings.executionDatabase !== undefined && !isPostgres(settings.executionDatabase)) {
    faults.push('KODO_EXECUTION_DATABASE takes a postgresql:// address; for SQLite leave it out and set KODO_EXEC_DIR')
  }
  if (isPostgres(settings.adminDatabase) && settings.secretKey === undefined) {
    faults.push('With KODO_ADMIN_DATABASE on Postgres every process needs the same key: set KODO_SECRET_KEY or KODO_SECRET_KEY_FILE (32 characters or more)')
  }
  if (settings.files === 'panel' && settings.apiKey === undefined) {
    faults.push('KODO_FILES=panel needs a key with which workers sign in to the panel: set KODO_API_KEY or KODO_API_KEY_FILE (`koco keys create` makes one)')
  }
  if ((settings.temporalTlsCert === undefined) !== (settings.temporalTlsKey === undefined)) {
    faults.push('A certificate for Temporal needs its key, and the key its certificate: set KODO_TEMPORAL_TLS_CERT and KODO_TEMPORAL_TLS_KEY')
  }
  if (settings.temporalTlsCert !== undefined && settings.temporalTlsCa === undefined) {
    faults.push('KODO_TEMPORAL_TLS_CERT needs KODO_TEMPORAL_TLS_CA, the authority by which Temporal itself is known')
  }
  faults.push(...checkSignIn(settings))
  if (settings.appServer.startsWith('https:') && settings.listen === undefined) {
    faults.push('KODO_APP_SERVER with https:// is the address of a proxy in front: set KODO_LISTEN to where the panel itself listens, e.g. 127.0.0.1:3370')
  }
  if (settings.auth === 'off' && !panelListen(settings).loopback) {
    faults.push(`KODO_AUTH=off would open ${settings.listen ?? settings.appServer} to everybody: listen on localhost, or set KODO_AUTH=on`)
  }
  return faults
}

function checkSignIn({ githubClientId, githubClientSecret, oidcIssuer, oidcClientId, oidcClientSecret }: Settings): string[] {
  const faults: string[] = []
  if ((githubClientId === undefined) !== (githubClientSecret === undefined)) {
    faults.push('Sign-in with GitHub needs both KODO_GITHUB_CLIENT_ID and KODO_GITHUB_CLIENT_SECRET (or …_FILE)')
  }
  const oidc = [oidcIssuer, oidcClientId, oidcClientSecret].filter((one) => one !== undefined).length
  if (oidc !== 0 && oidc !== 3) faults.push('Sign-in with OpenID needs KODO_OIDC_ISSUER, KODO_OIDC_CLIENT_ID and KODO_OIDC_CLIENT_SECRET (or …_FILE)')
  return faults
}

/** The sentence that says why a command of several processes cannot use memory; undefined when it can work. */
export function needsSharedTransport(settings: Settings, command: string): string | undefined {
  if (settings.eventTransport !== 'memory') return undefined
  return `\`koco ${command}\` is one of several processes, which share events through Redis: set KODO_EVENT_TRANSPORT=redis and KODO_REDIS_URL, or use \`koco start\``
}
