// A process for crash tests: keeps conversations over a data folder. Arguments: the folder, `say` (make a session and say two things in it) or `wait` (until it is at rest), and the point at which it kills itself.
import { setTimeout as delay } from 'node:timers/promises'
import { createCatalog, createDirectLauncher, defineChatFlow } from '@koco/flow'
import { createSpooler } from '@koco/spooler'
import { createSqliteExecutionStore } from '@koco/storage/sqlite'
import { createMemoryTransport } from '@koco/transport'
import { createConversations } from '../chat/conversations.ts'
import { createWakeups } from '../tail/wakeups.ts'

const SESSION = '0123456789ab'
const [dir = '', mode = '', killAt = ''] = process.argv.slice(2)
const say = (line: string): void => void process.stdout.write(`${line}\n`)
const silent = { info: () => undefined, warn: () => undefined, error: () => undefined }

process.stdin.on('end', () => process.exit(0)).resume()
const store = await createSqliteExecutionStore({ dir, migrate: true })
const transport = createMemoryTransport()
createSpooler({ consumer: transport.consumer('test'), signals: transport.signals, writer: store.writer, dead: store.dead, log: silent }).start()
const launcher = await createDirectLauncher({ catalog: createCatalog([defineChatFlow({ name: 'chat', summary: 'Answers' })]), store, transport })
const conversations = createConversations({
  store,
  launcher,
  wakeups: await createWakeups(transport.signals),
  flow: 'chat',
  lookAgainMs: mode === 'say' ? 60_000 : 50,
  launchMs: 0,
  clock: Date.now,
  log: { warn: () => undefined },
  reached: (point) => void (point === killAt && process.kill(process.pid, 'SIGKILL')),
})

if (mode === 'say') {
  const now = Date.now() / 1000
  const session = await store.sessions.create({ id: SESSION, user: 'ada', at: now, model: 'tiny' })
  await store.sessions.change(SESSION, { do: 'queue', id: 'q', message: { id: 'two', role: 'user', content: 'two' }, model: null }, { at: now })
  await conversations.start(session, { message: { id: 'one', role: 'user', content: 'one' }, labels: {} })
  say('said')
} else {
  for (;;) {
    const session = await store.sessions.get(SESSION)
    if (session?.turn === null && session.queued === 0) break
    await delay(20)
  }
  say('rest')
}
