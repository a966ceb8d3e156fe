import { OpenAiServer } from '@koco/flow/testing'
import { afterAll, afterEach, beforeAll, beforeEach, expect, vi } from 'vitest'
import { SocketClient } from './socket-client.ts'
import { closeTestParts, openTestPanel, type TestPanel, type TestPanelOptions } from './test-panel.ts'

type Person = Awaited<ReturnType<TestPanel['user']>>

/** A panel with a person, anew for each test of the file that calls this, and a model server for all of them. */
export type SocketPanel = {
  readonly at: TestPanel
  readonly me: Person
  /** Holds its answers where a test needs it. */
  readonly model: OpenAiServer
  /** Sockets that are cut at the end of the test. */
  readonly opened: SocketClient[]
  /** Another panel. */
  open(options?: TestPanelOptions): Promise<TestPanel>
  /** A socket, by default of the person to the panel. */
  dial(headers?: Record<string, string>, path?: string, url?: string): Promise<SocketClient>
  post(path: string, body?: object, headers?: Record<string, string>): Promise<Record<string, unknown>>
  /** The person's connections that count now. */
  counted(): Promise<number>
  isFree(): Promise<unknown>
}

/** Real sockets against listening panels over one store, with real turns. */
export function socketPanel(): SocketPanel {
  let at: TestPanel
  let me: Person
  const opened: SocketClient[] = []
  const panels: TestPanel[] = []
  const model = new OpenAiServer(() => [])
  const open = async (options: TestPanelOptions = {}): Promise<TestPanel> => {
    const panel = await openTestPanel({ ...options, settings: { lookAgainMs: 300, ...options.settings } })
    panels.push(panel)
    return panel
  }
  beforeAll(async () => {
    vi.stubEnv('KODO_LLM_URL', `http://${await model.listen()}/v1`)
    vi.stubEnv('KODO_LLM_MODEL', 'tiny')
  })
  beforeEach(async () => {
    at = await open()
    me = await at.user('user')
  })
  afterEach(async () => {
    for (const { socket } of opened.splice(0)) socket.terminate()
    for (const panel of panels.splice(0)) await panel.close()
  })
  afterAll(async () => {
    await model.close()
    vi.unstubAllEnvs()
    await closeTestParts()
  })
  const counted = (): Promise<number> => at.leases.count(`ws:${me.name}`)
  return {
    get at() {
      return at
    },
    get me() {
      return me
    },
    model,
    opened,
    open,
    async dial(headers = me.headers, path = '/ws', url = at.url) {
      const client = await SocketClient.open(url, headers, path)
      opened.push(client)
      return client
    },
    async post(path, body = {}, headers = me.headers) {
      const answer = await fetch(at.url + path, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) })
      return (await answer.json()) as Record<string, unknown>
    },
    counted,
    isFree: () => vi.waitFor(async () => expect(await counted()).toBe(0), { timeout: 25_000 }),
  }
}
