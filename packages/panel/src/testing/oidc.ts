import { spawn } from 'node:child_process'
import { once } from 'node:events'

/** A real OpenID provider in a process of its own. */
export type OidcServer = { readonly issuer: string; readonly clientId: string; readonly clientSecret: string; stop(): Promise<void> }

/** Starts the provider on a free `port`, for one client that is sent back to `redirectUri`. */
export async function startOidc(port: number, redirectUri: string): Promise<OidcServer> {
  const script = new URL('oidc-server.ts', import.meta.url).pathname
  const child = spawn(process.execPath, [script, String(port), redirectUri], { stdio: ['ignore', 'pipe', 'ignore'] })
  const ended = once(child, 'exit')
  const isListening = await Promise.race([once(child.stdout, 'data').then(() => true), ended.then(() => false)])
  if (!isListening) throw new Error('the OpenID provider ended before it listened')
  child.stdout.resume()
  return {
    issuer: `http://127.0.0.1:${port}`,
    clientId: 'koco',
    clientSecret: 'secret-of-the-client-at-the-provider',
    async stop() {
      child.kill('SIGKILL')
      await ended
    },
  }
}
