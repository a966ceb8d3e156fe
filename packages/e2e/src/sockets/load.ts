import { setTimeout as delay } from 'node:timers/promises'
import { startGitHub } from '@koco/testing'
import { OpenAiServer } from 'koco/testing'
import { embedded } from '../processes/stacks.ts'
import { accessToken, gitHubSettings, metric, signInWithGitHub } from './people.ts'
import { SocketClient } from './socket-client.ts'

/** How much: each user has so many sockets; each socket is asked something about every second, each user says something about every `talkEveryS`. */
export type LoadPlan = { readonly users: number; readonly socketsEach: number; readonly seconds: number; readonly talkEveryS: number }

/** What a load came to. `asked` counts questions and turns, `failed` those that were not answered as they should. Times in ms, memory in bytes. */
export type LoadResult = {
  readonly asked: number
  readonly failed: number
  readonly turns: number
  readonly roundTrips: readonly number[]
  readonly turnTimes: readonly number[]
  readonly messagesPerSecond: number
  readonly memoryPerConnection: number
  /** The least that the heap held, in the first and in the last third; open files before the first and after the last socket; sockets that the panel still counts. */
  readonly heap: { readonly first: number; readonly last: number }
  readonly files: { readonly before: number; readonly after: number }
  readonly socketsLeft: number
  /** Whether a user can open as many sockets as they may again: nothing of the old ones is counted. */
  readonly hasRoom: boolean
}

const SAY = ['All ', 'is ', 'well.']
/** Nothing takes so long; what does has failed. */
const GUARD_MS = 60_000
const SETTLE_MS = 30_000

type User = { readonly token: string; readonly sockets: SocketClient[] }
type Tally = { asked: number; failed: number; messages: number; readonly roundTrips: number[]; readonly turnTimes: number[] }

/** Lets people sign in, connect, ask and talk on one `koco start` of its own; then all leave. `env`: what that is told besides. */
export async function load(plan: LoadPlan, env: Readonly<Record<string, string>> = {}): Promise<LoadResult> {
  const github = await startGitHub()
  const model = new OpenAiServer(() => [])
  const llm = { KODO_LLM_URL: `http://${await model.listen()}/v1`, KODO_LLM_MODEL: 'tiny' }
  await using stack = await embedded({ ...gitHubSettings(github), ...llm, ...env })
  const { address } = stack
  try {
    const users: User[] = []
    for (let id = 1; id <= plan.users; id++) users.push({ token: await accessToken(address, await signInWithGitHub(address, github, id)), sockets: [] })
    const before = { files: await metric(address, 'process_open_fds'), memory: await metric(address, 'process_resident_memory_bytes') }
    for (const user of users) {
      for (let n = 0; n < plan.socketsEach; n++) user.sockets.push(await SocketClient.open(address, user.token))
    }
    const memory = (await metric(address, 'process_resident_memory_bytes')) - before.memory
    const tally: Tally = { asked: 0, failed: 0, messages: 0, roundTrips: [], turnTimes: [] }
    const began = performance.now()
    const [heap] = await Promise.all([watchHeap(address, plan.seconds), ...users.map((user) => live(user, plan, model, tally))])
    const seconds = (performance.now() - began) / 1000
    const messages = users.flatMap(({ sockets }) => sockets).reduce((sum, { frames }) => sum + frames.length, tally.messages)
    await Promise.all(users.flatMap(({ sockets }) => sockets.map((socket) => socket.close())))
    return {
      ...tally,
      turns: tally.turnTimes.length,
      messagesPerSecond: messages / seconds,
      memoryPerConnection: memory / (plan.users * plan.socketsEach),
      heap,
      ...(await settled(address, users, before.files)),
    }
  } finally {
    await model.close()
    await github.stop()
  }
}

async function live({ sockets }: User, { seconds, talkEveryS }: LoadPlan, model: OpenAiServer, tally: Tally): Promise<void> {
  const [first, ...others] = sockets
  if (!first) return
  const until = performance.now() + seconds * 1000
  const { session_id: id } = (await first.ask('create_session')).data
  for (const other of others) await other.ask('session_control', { action: 'attach', session_id: id })
  const asking = sockets.map(async (socket) => {
    await delay(Math.random() * 1000)
    while (performance.now() < until) {
      await measured(tally, tally.roundTrips, async () => (await socket.ask('ping')).type === 'session_status')
      await delay(700 + Math.random() * 600)
    }
  })
  const talking = async (): Promise<void> => {
    await delay(Math.random() * Math.min(talkEveryS, seconds) * 1000)
    while (performance.now() < until) {
      model.script({ say: SAY })
      const ends = sockets.map((socket) => socket.end())
      await measured(tally, tally.turnTimes, async () => {
        if ((await first.ask('chat_message', { session_id: id }, 'How are things?')).type === 'error') return false
        return (await Promise.all(ends)).every(({ content, data }) => content === SAY.join('') && data['status'] === 'finished')
      })
      await delay(Math.max(0, Math.min(talkEveryS * 1000, until - performance.now())))
    }
  }
  await Promise.all([...asking, talking()])
}

async function measured(tally: Tally, times: number[], act: () => Promise<boolean>): Promise<void> {
  const began = performance.now()
  tally.asked += 1
  tally.messages += 1
  const isRight = await Promise.race([act().catch(() => false), delay(GUARD_MS, false, { ref: false })])
  if (isRight) times.push(performance.now() - began)
  else tally.failed += 1
}

/** The least that the heap held in the first and in the last third: what is left after the collector was there. */
async function watchHeap(address: string, seconds: number): Promise<LoadResult['heap']> {
  const samples: number[] = []
  const until = performance.now() + seconds * 1000
  while (performance.now() < until) {
    samples.push(await metric(address, 'nodejs_heap_size_used_bytes'))
    await delay(1000)
  }
  const third = Math.max(1, Math.floor(samples.length / 3))
  return { first: Math.min(...samples.slice(0, third)), last: Math.min(...samples.slice(-third)) }
}

async function settled(address: string, users: readonly User[], before: number): Promise<Pick<LoadResult, 'files' | 'socketsLeft' | 'hasRoom'>> {
  const until = performance.now() + SETTLE_MS
  let left = await metric(address, 'koco_sockets')
  while (left > 0 && performance.now() < until) {
    await delay(100)
    left = await metric(address, 'koco_sockets')
  }
  const token = users[0]?.token ?? ''
  const again = await Promise.allSettled([1, 2, 3].map(() => SocketClient.open(address, token)))
  const opened = again.filter((one) => one.status === 'fulfilled').map(({ value }) => value)
  for (const socket of opened) await socket.close()
  return { socketsLeft: left, hasRoom: opened.length === 3, files: { before, after: await metric(address, 'process_open_fds') } }
}
