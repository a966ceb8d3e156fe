import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { must, RefusedError, type Json } from '@koco/core'
import type { CheckpointSessions, Message, SessionState } from '../port.ts'

/** A session as the tests hold it. */
export type TestSession = {
  id: string
  user: string
  position: number
  messages: Message[]
  state: SessionState
  record: Json
  busy: boolean
  from: string | null
  readonly workspace: string
}

/** Sessions in memory, their workspaces in real folders. */
export class TestSessions implements CheckpointSessions {
  readonly all = new Map<string, TestSession>()
  readonly dir: string
  left = { steps: ['send the letter'], locks: ['approve'] }

  constructor(dir: string) {
    this.dir = dir
  }

  static async open(): Promise<TestSessions> {
    return new TestSessions(await mkdtemp(join(tmpdir(), 'koco-sessions-')))
  }

  /** A session with these files and messages. */
  async add({
    files = {},
    texts = ['hello', 'Good day.'],
    ...more
  }: Partial<TestSession> & { files?: Readonly<Record<string, string | Buffer>>; texts?: readonly string[] } = {}) {
    const id = more.id ?? randomBytes(6).toString('hex')
    const session: TestSession = {
      id,
      user: 'ada',
      position: texts.length,
      state: { title: 'A trip', temperature: 0.25 },
      record: null,
      busy: false,
      from: null,
      messages: texts.map((content, i) => ({ id: `m${i}`, role: i % 2 === 0 ? 'user' : 'assistant', content })),
      workspace: join(this.dir, 'ada', id),
      ...more,
    }
    await mkdir(session.workspace, { recursive: true })
    this.all.set(id, session)
    for (const [path, content] of Object.entries(files)) await this.write(id, path, content)
    return session
  }

  async write(id: string, path: string, content: string | Buffer): Promise<void> {
    const file = join(must(this.all.get(id), 'the session').workspace, path)
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, content)
  }

  say(id: string, content: string): void {
    const session = must(this.all.get(id), 'the session')
    session.messages.push({ id: `m${session.messages.length}-${content.slice(0, 8)}`, role: 'user', content })
    session.position++
  }

  async dispose(): Promise<void> {
    await rm(this.dir, { recursive: true, force: true })
  }

  read(id: string) {
    const session = this.all.get(id)
    return Promise.resolve(session && { ...session, messages: [...session.messages] })
  }

  place(user: string, id = randomBytes(6).toString('hex')) {
    if (this.all.has(id)) throw new RefusedError(`There is a session ${id} already.`, { code: 'session_exists' })
    return Promise.resolve({ id, workspace: join(this.dir, user, id) })
  }

  create({ messages, ...session }: Parameters<CheckpointSessions['create']>[0]) {
    const workspace = join(this.dir, session.user, session.id)
    this.all.set(session.id, { ...session, messages: [...messages], position: messages.length, busy: false, workspace })
    return Promise.resolve()
  }

  /** Two changes, as where a conversation is a log: what is said now goes down to what both have, then the rest is said. */
  replace(id: string, { messages, state, record }: Parameters<CheckpointSessions['replace']>[1]) {
    const session = must(this.all.get(id), 'the session')
    let keep = 0
    while (keep < messages.length && session.messages[keep]?.['id'] === messages[keep]?.['id']) keep++
    Object.assign(session, { messages: session.messages.slice(0, keep), position: session.position + 1 })
    this.changed('truncated')
    Object.assign(session, { messages: [...messages], state, record, position: session.position + 1 })
    this.changed('said')
    return Promise.resolve()
  }

  /** A session has changed; for those who keep them. */
  changed(_how: 'truncated' | 'said'): void {}

  pending() {
    return Promise.resolve(this.left)
  }
}
