import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CrashPoint } from '@koco/blobs'
import { TestSessions, type TestSession } from '../contract/sessions.ts'

/** Sessions that outlive their process: in a file, written whole at each change of a conversation. */
export class StoredSessions extends TestSessions {
  readonly #file: string
  readonly #crash: CrashPoint

  constructor(dir: string, crash: CrashPoint = () => undefined) {
    super(dir)
    this.#file = join(dir, 'sessions.json')
    this.#crash = crash
    mkdirSync(dir, { recursive: true })
    try {
      for (const session of JSON.parse(readFileSync(this.#file, 'utf8')) as TestSession[]) {
        this.all.set(session.id, { ...session, workspace: join(dir, session.user, session.id) })
      }
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
    }
  }

  override changed(how: 'truncated' | 'said'): void {
    this.save()
    this.#crash(`sessions:${how}`)
  }

  save(): void {
    writeFileSync(`${this.#file}.part`, JSON.stringify([...this.all.values()]))
    renameSync(`${this.#file}.part`, this.#file)
  }
}
