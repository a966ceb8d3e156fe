import type * as api from '@koco/core/api'
import { z } from 'zod'
import type { PanelContext, App, Routes } from '../context.ts'
import { answers } from '../server/describe.ts'
import { ProblemError } from '../server/problems.ts'
import { shapeOf } from '../shapes/shape-of.ts'
import { fidParam, visibleRun } from './visible-run.ts'

const Kept = shapeOf<api.KeptContent>()(
  z.object({
    count: z.number().int().describe('how often content is named'),
    bytes: z.number().int().describe('all that is named, equal content as often as it is named'),
    stored_bytes: z.number().int().describe('what is kept for it'),
  }),
)

const Totals = shapeOf<api.ContentTotals>()(
  z
    .object({
      results: Kept.describe('large results of steps'),
      files: Kept.describe('large files that runs were given or made; as of a short time ago where there are very many'),
      checkpoints: Kept.describe('files and conversations of checkpoints'),
    })
    .meta({ id: 'ContentTotals', description: 'How much the content store holds, and for how much.' }),
)

/** What runs keep outside their events. */
export const contentRoutes: Routes = (app, context) => {
  reading(app, context)
  const keptFiles = seldom(() => context.files.folder.keptFiles())
  app.get(
    '/api/contents',
    {
      config: { access: 'operations.read' },
      schema: { tags: ['operations'], summary: 'How much the content store holds, and what is stored for it', ...answers({ 200: Totals }, 401, 403) },
    },
    async () => {
      const [results, files, checkpoints] = await Promise.all([context.store.contents.totals(), keptFiles(), context.checkpoints.totals()])
      return {
        results: { count: results.named, bytes: results.bytes, stored_bytes: results.stored },
        files: { count: files.named, bytes: files.bytes, stored_bytes: files.stored },
        checkpoints: { count: checkpoints.count, bytes: checkpoints.bytes, stored_bytes: checkpoints.stored },
      }
    },
  )
}

/** Asked again only after twenty times as long as the answer took: whoever looks at it often costs little. */
function seldom<T>(ask: () => Promise<T>): () => Promise<T> {
  let known: { readonly answer: Promise<T>; untilMs: number } | undefined
  return () => {
    if (known && performance.now() < known.untilMs) return known.answer
    const begun = performance.now()
    const asked = { answer: ask(), untilMs: Number.POSITIVE_INFINITY }
    known = asked
    asked.answer.then(
      () => (asked.untilMs = performance.now() + 20 * (performance.now() - begun)),
      () => (known = undefined),
    )
    return asked.answer
  }
}

function reading(app: App, context: PanelContext): void {
  app.get(
    '/api/runs/:fid/contents/:sha256',
    {
      config: { access: 'runs.read' },
      schema: {
        tags: ['events'],
        summary: 'A large result of a step, which its event only names',
        description: 'The JSON text of the result. An event whose `data` has `content: {sha256, bytes, stored}` has `null` in the place of `result`.',
        params: z.object({ fid: fidParam, sha256: z.string().regex(/^[0-9a-f]{64}$/) }),
        ...answers({ 200: { type: 'application/json', description: 'The result.' } }, 401, 403, 404),
      },
    },
    async (request, reply) => {
      const { fid, sha256 } = request.params
      await visibleRun(context, request, fid, 'runs.read')
      const content = await context.store.contents.get(fid, sha256)
      if (!content) throw new ProblemError(404, 'unknown_content', `No event of run ${fid} names this content.`)
      // What has this hash never changes.
      return reply
        .type('application/json; charset=utf-8')
        .header('cache-control', 'private, max-age=31536000, immutable')
        .send(await context.contents.read(content))
    },
  )
}
