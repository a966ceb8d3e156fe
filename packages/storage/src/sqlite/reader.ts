import type { Db } from './connection.ts'
import { toKocoError } from './errors.ts'
import { takeExclusive } from './exclusive.ts'
import { keeperQueries } from './keeper-queries.ts'
import { packError, type Reply, type Request } from './protocol.ts'
import { createQueries } from './queries.ts'
import { createTimelineReader } from './read-timeline.ts'
import { RunFiles } from './run-files.ts'
import { StoredRuns } from './stored-runs.ts'

type Ops = Readonly<Record<string, (...args: never[]) => unknown>>

/** Answers reads on a connection of its own, so that no list waits for a burst of writes. */
export class Reader {
  readonly #db: Db
  readonly #dir: string
  readonly #files: RunFiles
  readonly #reply: (replies: readonly Reply[]) => void
  readonly #ops: Ops
  readonly #held = new Map<number, () => void>()
  #nextToken = 1

  constructor(db: Db, dir: string, reply: (replies: readonly Reply[]) => void) {
    this.#db = db
    this.#dir = dir
    this.#files = new RunFiles(dir)
    this.#reply = reply
    const stored = new StoredRuns(db, dir)
    this.#ops = {
      ...createQueries(db),
      ...keeperQueries(db, this.#files),
      read: createTimelineReader(db, this.#files),
      storedRuns: (after: string | null, limit: number) => stored.page(after, limit),
      takeExclusive: (name: string) => this.#takeExclusive(name),
      giveBack: (token: number) => this.#giveBack(token),
    }
  }

  take(requests: readonly Request[]): void {
    this.#reply(requests.map((request) => this.#answer(request)))
  }

  close(): void {
    for (const giveBack of this.#held.values()) giveBack()
    this.#files.close()
    this.#db.close()
  }

  #answer({ id, op, args }: Request): Reply {
    try {
      const run = this.#ops[op]
      if (!run) throw new Error(`the reader has no operation ${op}`)
      return { id, value: run(...(args as never[])) }
    } catch (error) {
      return { id, error: packError(toKocoError(error, this.#dir)) }
    }
  }

  #takeExclusive(name: string): number | undefined {
    const giveBack = takeExclusive(this.#dir, name)
    if (!giveBack) return undefined
    const token = this.#nextToken++
    this.#held.set(token, giveBack)
    return token
  }

  #giveBack(token: number): void {
    this.#held.get(token)?.()
    this.#held.delete(token)
  }
}
