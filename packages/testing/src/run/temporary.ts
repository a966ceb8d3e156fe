import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

/** Guards of servers that were killed remove their folders a moment after the last test. */
const SETTLE_MS = 30_000

/** A temporary folder for a whole run, in the place of the system's: what tests leave in it they would leave on the person's machine. */
export type TemporaryFolder = {
  readonly path: string
  /** Removes it; gives the names of what our tests have left in it and what does not go by itself within `settleMs`. */
  close(settleMs?: number): Promise<string[]>
}

/** Makes a new one. Processes of other users (Postgres) pass through it to folders of their own. */
export function temporaryFolder(): TemporaryFolder {
  const path = mkdtempSync(join(tmpdir(), 'koco-tests-'))
  chmodSync(path, 0o711)
  return {
    path,
    async close(settleMs = SETTLE_MS) {
      const deadline = Date.now() + settleMs
      while (ours(path).length > 0 && Date.now() < deadline) await delay(100)
      const left = ours(path)
      rmSync(path, { recursive: true, force: true, maxRetries: 5 })
      return left
    },
  }
}

// Tools leave caches of theirs there as they please.
function ours(path: string): string[] {
  return readdirSync(path).filter((name) => name.startsWith('koco-'))
}
