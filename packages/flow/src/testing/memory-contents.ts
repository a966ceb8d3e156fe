import { createHash } from 'node:crypto'
import { RefusedError } from '@koco/core'
import type { Contents } from '../contents/port.ts'

/** Contents of test runs, in memory. */
export function createMemoryContents(): Contents {
  const held = new Map<string, string>()
  return {
    async keep(text) {
      const sha256 = createHash('sha256').update(text).digest('hex')
      const bytes = Buffer.byteLength(text)
      held.set(sha256, text)
      return { content: { sha256, bytes, stored: bytes }, named: () => undefined }
    },
    async read({ sha256 }) {
      const text = held.get(sha256)
      if (text === undefined) throw new RefusedError(`There is no content ${sha256}.`, { code: 'unknown_blob' })
      return text
    },
    close: () => Promise.resolve(),
  }
}
