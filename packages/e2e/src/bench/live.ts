import { distributed, embedded } from '../processes/stacks.ts'
import { atMost, percentile, type Figure } from './figure.ts'

const PER_SECOND = 1000
const SECONDS = 8
/** The first moments show the start of processes and connections, not the tail. */
const SKIP = 1000
const MISSED = 10_000

/** From the moment of emission in the flow to the moment in which an SSE client has the frame; one host, one clock. */
export async function liveTail(shape: 'embedded' | 'distributed'): Promise<Figure[]> {
  await using stack = shape === 'embedded' ? await embedded() : await distributed(1)
  const client = await stack.client()
  const fid = await client.start('emit-at-rate', { perSecond: PER_SECOND, seconds: SECONDS })
  const delays: number[] = []
  for await (const frame of client.tail(fid)) {
    if (frame.event === 'end') break
    if (frame.event === 'action') delays.push(frame.at - emittedAt(frame.data))
  }
  const steady = delays.slice(SKIP)
  if (steady.length < PER_SECOND * SECONDS - SKIP) throw new Error(`the tail gave ${delays.length} of ${PER_SECOND * SECONDS} events`)
  return [
    atMost(`${shape}: append to visible, p50`, percentile(steady, 0.5), 'ms', 15),
    atMost(`${shape}: append to visible, p99`, percentile(steady, 0.99), 'ms', 100),
  ]
}

/** How long a reader that missed 10,000 events needs until it has them all. */
export async function catchUp(): Promise<Figure[]> {
  await using stack = await embedded()
  const client = await stack.client()
  const run = await client.startAndWait('emit-many', { events: MISSED, pauseMs: 0 })
  const start = performance.now()
  let events = 0
  for await (const frame of client.tail(run.fid)) {
    if (frame.event === 'end') break
    if (frame.event === 'action') events += 1
  }
  if (events !== MISSED) throw new Error(`the tail gave ${events} of ${MISSED} events`)
  return [atMost(`${MISSED} missed events caught up`, performance.now() - start, 'ms', 1000)]
}

function emittedAt(data: string): number {
  return (JSON.parse(data) as { data: { value: { at: number } } }).data.value.at
}
