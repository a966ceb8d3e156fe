import type * as api from '@koco/core/api'
import type { Readable } from 'node:stream'
import { z } from 'zod'
import type { Routes } from '../context.ts'
import { importRun } from '../imports/import-run.ts'
import { answers } from '../server/describe.ts'
import { ProblemError } from '../server/problems.ts'
import { shapeOf } from '../shapes/shape-of.ts'
import { caller } from './visible-run.ts'

const Imported = shapeOf<api.ImportedRun>()(z.object({ fid: z.string().describe('the id that the run has here'), events: z.number().int() }))

/** Read an exported run back in. */
export const runImportRoutes: Routes = (app, context) => {
  app.addContentTypeParser('application/x-ndjson', (_request, payload, done) => done(null, payload))
  app.post(
    '/api/runs/import',
    {
      config: { access: 'runs.import', streams: true },
      schema: {
        tags: ['runs'],
        summary: 'Import an exported run, to look at',
        description:
          'The body is what `GET /api/runs/{fid}/export` gives, as `application/x-ndjson`. The run gets an id of its own here, belongs to the caller, carries the tag `imported`, is over (to one that was not, its end is added), and takes no requests but to be archived. Its `meta` events say in `imported_from` where it was run. The same file gives the same run again (200). Files of the run are not in an export.',
        ...answers({ 201: Imported, 200: Imported }, 401, 403, 413, 415, 422, 429),
      },
    },
    async (request, reply) => {
      const body = request.body as Readable | undefined
      if (typeof body?.pipe !== 'function') throw new ProblemError(415, 'wrong_media_type', 'Send the JSON lines of an exported run as application/x-ndjson.')
      const { created, ...imported } = await importRun(context, caller(request).user, body)
      return reply
        .code(created ? 201 : 200)
        .header('location', `/api/runs/${imported.fid}`)
        .send(imported)
    },
  )
}
