import { RefusedError } from '@koco/core'
import type { AddressInfo } from 'node:net'
import type { App } from '../context.ts'
import type { PanelSettings } from '../options.ts'
import { isLoopbackName } from './cross-site.ts'

/** Listens and gives the address. RefusedError `port_in_use`, `bad_address`, or `auth_off_not_loopback`. */
export async function listen(app: App, settings: PanelSettings, at: { readonly host: string; readonly port: number }): Promise<{ url: string; port: number }> {
  if (settings.auth === 'off' && !isLoopbackName(at.host)) {
    throw new RefusedError(
      `Sign-in is off, so the panel listens only on loopback, not on "${at.host}". Set KODO_AUTH=on or KODO_APP_SERVER=http://localhost:${at.port}.`,
      {
        code: 'auth_off_not_loopback',
      },
    )
  }
  try {
    await app.listen({ host: at.host, port: at.port })
  } catch (error) {
    throw listenError(error, at)
  }
  const { port } = app.server.address() as AddressInfo
  const host = at.host.includes(':') ? `[${at.host}]` : at.host
  return { url: `http://${host}:${port}`, port }
}

function listenError(error: unknown, { host, port }: { readonly host: string; readonly port: number }): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'EADDRINUSE') {
    return new RefusedError(`Port ${port} on ${host} is in use. Stop what listens there, or choose another address: --address http://localhost:${port + 1}.`, {
      code: 'port_in_use',
      cause: error,
    })
  }
  if (code === 'EACCES' || code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
    return new RefusedError(`Cannot listen on ${host}:${port} (${code}). Choose another address with --address.`, { code: 'bad_address', cause: error })
  }
  return error
}
