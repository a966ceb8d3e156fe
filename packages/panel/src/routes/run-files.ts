import { isEnded } from '@koco/core'
import { FILE_SIDES, type RunFile } from '@koco/flow'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Readable } from 'node:stream'
import { z } from 'zod'
import type { App, PanelContext, Routes } from '../context.ts'
import { sendFile } from '../files/send-file.ts'
import { answers, empty } from '../server/describe.ts'
import { ProblemError } from '../server/problems.ts'
import { FileShape, fileJson } from '../shapes/file.ts'
import { limit, pageByName, pageOf } from '../shapes/json.ts'
import { fidParam, visibleRun } from './visible-run.ts'

const tags = ['files']
const side = z.enum(FILE_SIDES)
const listQuery = z.object({ after: z.string().max(2000).optional().describe('`next` of the page before'), limit: limit(1000, 200) })
const oneFile = z.object({ fid: fidParam, side, '*': z.string().describe('the path below `in` or `out`') })
const content = { type: 'application/octet-stream', description: 'The content, as an attachment. `Range` gives a part (206).' }

/** The files of a run: listed, downloaded, taken away; written by workers on other hosts. */
export const runFileRoutes: Routes = (app, context) => {
  const { folder } = context.files
  const list = async (request: FastifyRequest, fid: string, one?: (typeof FILE_SIDES)[number]) => {
    await visibleRun(context, request, fid, 'files.read')
    const { after, limit: size } = request.query as z.infer<typeof listQuery>
    const { items, next } = pageByName((await folder.list(fid, one)).map(named), after, size)
    return { items: items.map(({ file }) => fileJson(file)), next }
  }
  const listed = answers({ 200: pageOf(FileShape) }, 401, 403, 404)
  app.get(
    '/api/runs/:fid/files',
    {
      config: { access: 'files.read' },
      schema: { tags, summary: 'The files of a run, by path', params: z.object({ fid: fidParam }), querystring: listQuery, ...listed },
    },
    async (request) => list(request, request.params.fid),
  )
  app.get(
    '/api/runs/:fid/files/:side',
    {
      config: { access: 'files.read' },
      schema: { tags, summary: 'What a run was given, or what it made', params: z.object({ fid: fidParam, side }), querystring: listQuery, ...listed },
    },
    async (request) => list(request, request.params.fid, request.params.side),
  )
  contents(app, context)
}

function contents(app: App, context: PanelContext): void {
  const { folder } = context.files
  const path = '/api/runs/:fid/files/:side/*'
  const download = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const { fid, side: one, '*': rest } = request.params as z.infer<typeof oneFile>
    await visibleRun(context, request, fid, 'files.read')
    return sendFile(request, reply, await folder.openFile(fid, `${one}/${rest}`))
  }
  // Of its own: the one that comes with GET would read the file to count it.
  app.head(path, { config: { access: 'files.read' }, schema: { hide: true, params: oneFile } }, download)
  app.get(
    path,
    {
      config: { access: 'files.read' },
      schema: { tags, summary: 'Download a file', params: oneFile, ...answers({ 200: content, 206: content }, 401, 403, 404, 416) },
    },
    download,
  )
  app.put(
    path,
    {
      config: { access: 'files.write', streams: true },
      schema: {
        tags,
        summary: 'Write a file that a run makes',
        description:
          'For workers without the folder: the body is the content, `application/octet-stream`, under `out` only. Whole or not at all; an older file of the path is replaced.',
        params: oneFile,
        ...answers({ 200: FileShape }, 401, 403, 404, 409, 413, 415),
      },
    },
    async (request) => {
      const { fid, side: one, '*': rest } = request.params
      await visibleRun(context, request, fid, 'files.write')
      return fileJson(await folder.write(fid, `${one}/${rest}`, bytesOf(request.body)))
    },
  )
  app.delete(
    path,
    {
      config: { access: 'files.write' },
      schema: { tags, summary: 'Take a file of an ended run away', params: oneFile, ...answers({ 204: empty }, 401, 403, 404, 409) },
    },
    async (request, reply) => {
      const { fid, side: one, '*': rest } = request.params
      const run = await visibleRun(context, request, fid, 'files.write')
      if (!isEnded(run.status)) throw new ProblemError(409, 'run_live', 'The run is at work with its files; take them away when it is over.')
      if (!(await folder.remove(fid, `${one}/${rest}`))) throw new ProblemError(404, 'unknown_file', `The run has no file "${one}/${rest.slice(0, 200)}".`)
      return reply.code(204).send()
    },
  )
}

function named(file: RunFile): { readonly name: string; readonly file: RunFile } {
  return { name: file.path, file }
}

function bytesOf(body: unknown): Readable {
  if (typeof body === 'object' && body !== null && Symbol.asyncIterator in body) return body as Readable
  throw new ProblemError(415, 'wrong_media_type', 'Send the content of the file as application/octet-stream.')
}
