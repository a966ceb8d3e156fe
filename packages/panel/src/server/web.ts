import fastifyStatic from '@fastify/static'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { App } from '../context.ts'
import { ProblemError, sendProblem } from './problems.ts'

const NOT_BUILT = `<!doctype html><html lang="en"><meta charset="utf-8"><title>koco</title>
<h1>The page is not built</h1>
<p>Build it in the checkout with <code>npm run build -w @koco/web</code> and start again. The API works: see <a href="/docs">/docs</a>.</p></html>
`

/** Serves the built page: compressed where the build laid such a file beside, hashed assets for ever, every other address as the page itself, unknown API addresses as problems. */
export async function serveWeb(app: App, webDir: string | null): Promise<void> {
  const built = webDir !== null && existsSync(join(webDir, 'index.html'))
  if (built) {
    await app.register(fastifyStatic, {
      root: webDir,
      index: false,
      dotfiles: 'ignore',
      cacheControl: false,
      schemaHide: true,
      preCompressed: true,
      setHeaders: cacheHeader,
    })
    app.get('/', { config: { access: 'public' }, schema: { hide: true } }, (_request, reply) => sendIndex(reply))
  }
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.replace(/[?#].*$/s, '')
    if (isPage(request, path)) return built ? sendIndex(reply) : reply.code(503).type('text/html; charset=utf-8').send(NOT_BUILT)
    return sendProblem(new ProblemError(404, 'unknown_route', `There is nothing at ${request.method} ${path.slice(0, 200)}.`), request, reply)
  })
}

function sendIndex(reply: FastifyReply): FastifyReply {
  return reply.header('cache-control', 'no-cache').sendFile('index.html')
}

/** Addresses without a file's ending belong to the page, which has its own router. */
function isPage(request: FastifyRequest, path: string): boolean {
  return (request.method === 'GET' || request.method === 'HEAD') && !path.startsWith('/api') && !/\.[a-z0-9]+$/i.test(path)
}

function cacheHeader(reply: FastifyReply, path: string): void {
  const hashed = /[\\/]assets[\\/][^\\/]+-[\w-]{8,}\.\w+(?:\.br|\.gz)?$/.test(path)
  void reply.header('cache-control', hashed ? 'public, max-age=31536000, immutable' : 'no-cache')
}
