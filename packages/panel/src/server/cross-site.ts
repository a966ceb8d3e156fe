import type { FastifyReply, FastifyRequest } from 'fastify'
import { ProblemError } from './problems.ts'

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS'])

/** The origins that this panel answers to from a browser: its own, and the exact list. */
export type Origins = { readonly own: string; readonly others: ReadonlySet<string> }

/** The origins from the settings. */
export function originsOf(settings: { readonly publicUrl: string; readonly corsOrigins: readonly string[] }): Origins {
  return { own: new URL(settings.publicUrl).origin, others: new Set(settings.corsOrigins.map((origin) => new URL(origin).origin)) }
}

/**
 * Refuses what another site's page sends in a signed-in person's name: problem 403 `cross_site`. Browsers say by Sec-Fetch-Site where a request comes from; where they do not (plain http, old
 * ones) Origin is compared. A request with neither comes from no browser.
 */
export function refuseCrossSite(request: FastifyRequest, origins: Origins): void {
  if (SAFE.has(request.method)) return
  const { origin, 'sec-fetch-site': site } = request.headers
  if (typeof origin === 'string' && origins.others.has(origin)) return
  if (site === 'same-origin' || site === 'none') return
  if (site === undefined && (origin === undefined || isOwnOrigin(origin, request.headers.host, origins))) return
  throw new ProblemError(403, 'cross_site', 'This request comes from another site; use the page of this panel, or an API key.')
}

/** Lets the listed origins call the API from a browser; answers their preflights. True when the reply is sent. */
export function allowOrigins(request: FastifyRequest, reply: FastifyReply, origins: Origins): boolean {
  const { origin } = request.headers
  if (origins.others.size > 0) void reply.header('vary', 'origin')
  if (typeof origin !== 'string' || !origins.others.has(origin)) return false
  void reply.header('access-control-allow-origin', origin).header('access-control-allow-credentials', 'true')
  void reply.header(
    'access-control-expose-headers',
    'location, retry-after, x-request-id, preference-applied, tus-resumable, upload-offset, upload-length, upload-expires',
  )
  if (request.method !== 'OPTIONS' || request.headers['access-control-request-method'] === undefined) return false
  void reply.header('access-control-allow-methods', 'GET, HEAD, POST, PUT, PATCH, DELETE')
  void reply.header(
    'access-control-allow-headers',
    'authorization, content-type, idempotency-key, last-event-id, prefer, tus-resumable, upload-length, upload-metadata, upload-offset',
  )
  void reply.header('access-control-max-age', '600').code(204).send()
  return true
}

/** True for the names of this machine's loopback: without sign-in no other name may lead here (DNS rebinding). */
export function isLoopbackName(host: string | undefined): boolean {
  const name = host === undefined ? '' : host.replace(/:\d+$/, '')
  return name === 'localhost' || name === '[::1]' || name === '::1' || /^127(\.\d{1,3}){3}$/.test(name)
}

/** True for the panel's own pages, by its public address or the name that they were found by. */
export function isOwnOrigin(origin: string, host: string | undefined, { own }: Origins): boolean {
  return origin === own || isOwnHost(origin, host)
}

function isOwnHost(origin: string, host: string | undefined): boolean {
  return host !== undefined && (origin === `http://${host}` || origin === `https://${host}`)
}
