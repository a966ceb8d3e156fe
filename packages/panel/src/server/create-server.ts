import { fastify, LogController } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { randomBytes } from 'node:crypto'
import type { App, PanelContext } from '../context.ts'
import { sendProblem } from './problems.ts'
import { addHeaders } from './security-headers.ts'
import { compileValidator } from './validation.ts'

/** How long the body of a request may take to arrive; one that carries a file, and any other. */
const STREAM_MS_MAX = 6 * 3_600_000
const BODY_MS_MAX = 60_000

/** The HTTP server of a panel, without routes: its limits, its errors, its headers, and what it tells of each answer. */
export function createServer({ settings, log, metrics, onAnswer }: PanelContext): App {
  const app = fastify({
    // Its own "listening" would repeat, amid words for people, what the command says of where it is.
    loggerInstance: log.child({}, { level: log.isLevelEnabled('warn') ? 'warn' : log.level }) as never,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: settings.bodyBytesMax,
    trustProxy: settings.trustedProxies.length > 0 ? [...settings.trustedProxies] : false,
    genReqId: createRequestIds(),
    requestTimeout: STREAM_MS_MAX,
    keepAliveTimeout: 72_000,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: 500 },
    frameworkErrors: (error, request, reply) => void sendProblem(error, request, reply as never),
  }).withTypeProvider<ZodTypeProvider>() as unknown as App
  app.setValidatorCompiler(compileValidator)
  // Answers are plain objects of known shape: printing them is enough, checking each again would cost more than making it.
  app.setSerializerCompiler(() => (data) => JSON.stringify(data))
  app.setErrorHandler((error, request, reply) => sendProblem(error, request, reply))
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string', bodyLimit: 8_192 }, (_request, body, done) =>
    done(null, Object.fromEntries(new URLSearchParams(String(body)))),
  )
  addHeaders(app, settings.publicUrl)
  cutSlowBodies(app)
  app.addHook('onResponse', (request, reply, done) => {
    const { method, id, headers } = request
    const route = request.routeOptions.url ?? 'unknown'
    const [status, seconds, location] = [reply.statusCode, reply.elapsedTime / 1000, reply.getHeader('location')]
    metrics.request(method, route, status, seconds)
    onAnswer?.({
      id,
      method,
      route,
      status,
      seconds,
      traceparent: one(headers['traceparent']),
      location: location === undefined ? undefined : String(location),
    })
    done()
  })
  return app
}

function one(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header
}

/** A connection whose body does not come is no use to anybody; the server's own limit has to suit long uploads. */
function cutSlowBodies(app: App): void {
  app.addHook('preParsing', (request, _reply, payload, done) => {
    const { headers, routeOptions, raw } = request
    const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
    if (hasBody && routeOptions.config.streams !== true) {
      const timer = setTimeout(() => raw.destroy(), BODY_MS_MAX)
      const stop = (): void => clearTimeout(timer)
      raw.once('end', stop).once('close', stop)
    }
    done(null, payload)
  })
}

/** Ids that tell requests apart, also over restarts: a random start and a count. */
function createRequestIds(): () => string {
  const start = randomBytes(6).toString('base64url')
  let count = 0
  return () => `${start}-${(++count).toString(36)}`
}
