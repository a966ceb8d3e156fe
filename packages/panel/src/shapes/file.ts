import type * as api from '@koco/core/api'
import type { RunFile } from '@koco/flow'
import { z } from 'zod'
import type { UploadRecord } from '../files/records.ts'
import { shapeOf } from './shape-of.ts'

/** A file of a run as the API shows it. */
export const FileShape = shapeOf<api.RunFile>()(
  z
    .object({
      path: z.string().describe('in/… was given to the run, out/… made by it'),
      size: z.number().int().describe('bytes'),
      type: z.string().describe('media type, by its name'),
      modified_at: z.number().describe('unix seconds'),
    })
    .meta({ id: 'File' }),
)

/** An upload as the API shows it. */
export const UploadShape = shapeOf<api.Upload>()(
  z
    .object({
      id: z.string().describe('what inputs name it by'),
      name: z.string(),
      size: z.number().int().describe('bytes'),
      offset: z.number().int().describe('bytes that are here'),
      complete: z.boolean(),
      used: z.boolean().describe('a run has it'),
      expires_at: z.number().describe('unix seconds; each piece that arrives moves it on'),
    })
    .meta({ id: 'Upload' }),
)

/** The JSON of a file. */
export function fileJson({ path, size, type, modifiedAt }: RunFile): z.infer<typeof FileShape> {
  return { path, size, type, modified_at: modifiedAt }
}

/** The JSON of an upload. */
export function uploadJson({ id, name, size, offset, placed }: UploadRecord, expiresAt: number): z.infer<typeof UploadShape> {
  return { id, name, size, offset, complete: offset >= size, used: placed !== null, expires_at: expiresAt }
}
