import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod'
import type { App } from '../context.ts'

/** Describes the routes as OpenAPI 3.1 and shows them at /docs. Register before the routes. */
export async function describeApi(app: App, version: string): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'koco',
        version,
        description:
          'Start agent runs, watch them live, answer them. Errors are RFC 9457 problems with a stable `code`. Lists are `{items, next}`; give `next` back as `after`.',
      },
      components: {
        securitySchemes: {
          key: { type: 'http', scheme: 'bearer', description: 'An API key: koco_…' },
          session: { type: 'apiKey', in: 'cookie', name: 'koco' },
        },
      },
      security: [{ key: [] }, { session: [] }],
    },
    transform: jsonSchemaTransform,
    transformObject: jsonSchemaTransformObject,
  })
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    uiConfig: { deepLinking: true },
    theme: { title: 'koco API', css: [{ filename: 'koco.css', content: '.topbar{display:none}' }] },
  })
}

/** The route that gives the description. Register after the others. */
export function serveDescription(app: App): void {
  app.get('/openapi.json', { config: { access: 'public' }, schema: { hide: true } }, async () => app.swagger())
}
