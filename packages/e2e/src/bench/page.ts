import { newFid, toJsonText, type EventRecord } from '@koco/core'
import { openExecutionStore, type ExecutionStore } from '@koco/storage'
import { chromiumProgram } from '@koco/testing'
import type { Browser, Page } from 'playwright-core'
import { gzipSync } from 'node:zlib'
import { openBrowser, signIn } from '../page/browser.ts'
import type { ApiClient } from '../processes/api-client.ts'
import { createInstallation, PASSWORD, type Installation } from '../processes/installation.ts'
import { embedded } from '../processes/stacks.ts'
import { atLeast, atMost, percentile, type Figure } from './figure.ts'
import { frameTimes, scrollThrough, typingDelays, type Frames } from './page-probes.ts'
import { benchRecords } from './rows.ts'

const LONG_RUN = 100_000
const RUNS = 10_000
const RUNS_PER_SECOND = 50
const RUSH_SECONDS = 8
const LIVE_PER_SECOND = 40
const LIVE_SECONDS = 10
const BATCH = 5_000

/** What a browser has to fetch before it shows the first page of somebody signed in. */
export async function pageLoad(): Promise<Figure[]> {
  await using stack = await embedded()
  // Awaited here: the processes end with this block.
  return await withBrowser(async (browser) => {
    const { page } = await signIn(browser, stack.address, PASSWORD)
    const scripts = new Set<string>()
    const state = await page.context().storageState()
    const context = await browser.newContext({ storageState: state })
    const fresh = await context.newPage()
    fresh.on('response', (response) => {
      if (response.request().resourceType() === 'script') scripts.add(response.url())
    })
    await fresh.goto(`${stack.address}/flows`)
    await fresh.getByRole('heading', { level: 1, name: 'Flows' }).waitFor()
    await fresh.waitForLoadState('networkidle')
    const texts = await Promise.all([...scripts].map(async (url) => (await fetch(url)).arrayBuffer()))
    const bytes = texts.reduce((sum, text) => sum + gzipSync(Buffer.from(text), { level: 9 }).length, 0)
    return [atMost('page: script of the first load, gzipped', bytes / 1000, 'kB', 350)]
  })
}

/** A run of 100,000 events: opened, scrolled through, searched. */
export async function pageLongRun(): Promise<Figure[]> {
  return withInstallation(
    async (store) => writeRun(store),
    async (installation, fid) => {
      const client = await installation.client()
      const figures: Figure[] = []
      const search = await searchTimes(client, fid)
      figures.push(atMost('page: a word in 100,000 events, p95 on the server', percentile(search, 0.95), 'ms', 300))
      await withBrowser(async (browser) => {
        const { page } = await signIn(browser, installation.address, PASSWORD)
        const start = performance.now()
        await page.goto(`${installation.address}/runs/${fid}?tab=timeline`, { waitUntil: 'commit' })
        await page.locator('[role=log] [data-index]').first().waitFor()
        figures.push(atMost('page: 100,000 events, first paint of the timeline', performance.now() - start, 'ms', 1000))
        await page.getByText('Complete').first().waitFor()
        const frames = await scrollThrough(page, '[role=log]', 4_000)
        figures.push(...frameFigures('page: scrolling through 100,000 events', frames, 50))
      })
      return figures
    },
  )
}

/** A list of 10,000 runs: filtered, and used while 50 more arrive a second. */
export async function pageRunList(): Promise<Figure[]> {
  return withInstallation(
    async (store) => writeRuns(store),
    async (installation) => {
      const client = await installation.client()
      const filters = await filterTimes(client)
      const figures = [atMost('page: filter over 10,000 runs, p95 on the server', percentile(filters, 0.95), 'ms', 100)]
      await withBrowser(async (browser) => {
        const { page } = await signIn(browser, installation.address, PASSWORD)
        await page.goto(`${installation.address}/runs`)
        await page.getByRole('listitem').first().waitFor()
        figures.push(...(await rushFigures(page, client)))
      })
      return figures
    },
  )
}

/** From the emission of an event to the moment in which the page has drawn it. */
export async function pageLive(): Promise<Figure[]> {
  await using stack = await embedded()
  // Awaited here: the processes end with this block.
  return await withBrowser(async (browser) => {
    const { page } = await signIn(browser, stack.address, PASSWORD)
    const client = await stack.client()
    const fid = await client.start('emit-at-rate', { perSecond: LIVE_PER_SECOND, seconds: LIVE_SECONDS })
    await page.addInitScript(drawnDelays)
    await page.goto(`${stack.address}/runs/${fid}?tab=timeline&kinds=action`)
    await page.getByText('Complete').first().waitFor({ timeout: 60_000 })
    const delays = await page.evaluate<number[]>('window.drawnDelays')
    // What was emitted while the page was being loaded shows the loading.
    const steady = delays.slice(-LIVE_PER_SECOND * (LIVE_SECONDS - 4))
    if (steady.length < LIVE_PER_SECOND * (LIVE_SECONDS - 5)) throw new Error(`only ${delays.length} events were seen on the screen`)
    return [
      atMost('page: append to the screen, p50', percentile(steady, 0.5), 'ms', 100),
      atMost('page: append to the screen, p95', percentile(steady, 0.95), 'ms', 200),
    ]
  })
}

/** In the page: for each row with the stamp of its emission, how long it took until it was drawn. */
const drawnDelays = `
  window.drawnDelays = []
  const seen = new Set()
  const look = () => {
    for (const row of document.querySelectorAll('[role=log] [data-index]')) {
      const at = /"at":(\\d+\\.?\\d*)/.exec(row.textContent ?? '')?.[1]
      if (!at || seen.has(at)) continue
      seen.add(at)
      requestAnimationFrame(() => window.drawnDelays.push(performance.timeOrigin + performance.now() - Number(at)))
    }
  }
  new MutationObserver(look).observe(document, { childList: true, subtree: true, characterData: true })
`

async function rushFigures(page: Page, client: ApiClient): Promise<Figure[]> {
  let started = 0
  const begin = performance.now()
  const rush = async (): Promise<void> => {
    while (started < RUNS_PER_SECOND * RUSH_SECONDS) {
      const due = Math.min(RUNS_PER_SECOND * RUSH_SECONDS, ((performance.now() - begin) / 1000) * RUNS_PER_SECOND)
      const some = Array.from({ length: Math.max(0, Math.floor(due) - started) }, () => client.start('three-steps', {}))
      started += some.length
      await Promise.all(some)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
  const [frames, typing] = await Promise.all([
    frameTimes(page, RUSH_SECONDS * 1000),
    (async () => {
      await page.waitForTimeout(1000)
      return typingDelays(page, page.getByRole('textbox', { name: 'Search runs' }), 'three steps please')
    })(),
    rush(),
  ])
  const rate = started / ((performance.now() - begin) / 1000)
  return [
    atLeast('page: runs a second that arrived in the open list', rate, 'runs/s', RUNS_PER_SECOND * 0.9),
    atMost('page: with them, a frame of the list, p95', percentile(frames.ms, 0.95), 'ms', 50),
    atMost('page: with them, a key in the search field until it is drawn, p95', percentile(typing, 0.95), 'ms', 100),
  ]
}

function frameFigures(name: string, frames: Frames, limitMs: number): Figure[] {
  return [atMost(`${name}, longest frame`, Math.max(...frames.ms), 'ms', limitMs), atMost(`${name}, a frame, p95`, percentile(frames.ms, 0.95), 'ms', limitMs)]
}

/** Words that are nowhere, everywhere, and in the last event alone: the server looks through all of them. */
async function searchTimes(client: ApiClient, fid: string): Promise<number[]> {
  const times: number[] = []
  for (const word of ['nowhere', 'the-needle', 'nowhere else', 'event 99998 ', 'the-needle']) {
    const start = performance.now()
    for (let after = ''; ;) {
      const page: { items: unknown[]; next: string | null } = await client.json(
        'GET',
        `/api/runs/${fid}/events?limit=100&q=${encodeURIComponent(word)}${after && `&after=${after}`}`,
      )
      if (page.next === null || page.items.length > 0) break
      after = page.next
    }
    times.push(performance.now() - start)
  }
  return times
}

async function filterTimes(client: ApiClient): Promise<number[]> {
  const times: number[] = []
  const queries = [
    'status=error',
    'flow=bench&status=finished',
    'q=city-77',
    'q=needle',
    'q=bench+run',
    'user=admin&tag=blue',
    'q=city-4242&status=finished',
    'tag=red',
  ]
  for (let round = 0; round < 5; round += 1) {
    for (const query of queries) {
      const start = performance.now()
      await client.json('GET', `/api/runs?limit=100&${query}`)
      times.push(performance.now() - start)
    }
  }
  return times
}

async function writeRun(store: ExecutionStore): Promise<string> {
  const fid = newFid(Date.now(), new Uint8Array(8).fill(7))
  const createdAt = Date.now() / 1000
  await store.runs.create({
    fid,
    flow: 'bench',
    version: null,
    user: 'admin',
    summary: 'A long run.',
    tags: [],
    parent: null,
    inputs: {},
    createdAt,
    launcher: 'bench',
    idempotencyKey: null,
  })
  const epoch = Date.now()
  const middle = benchRecords(epoch, LONG_RUN - 2)
  const last: EventRecord[] = [
    { epoch, seq: LONG_RUN - 1, ts: createdAt, kind: 'final', step: null, data: toJsonText({ type: 'text', value: 'the-needle' }) },
    { epoch, seq: LONG_RUN, ts: createdAt, kind: 'status', step: null, data: toJsonText({ status: 'cancelled' }) },
  ]
  const records = [...middle, ...last]
  for (let from = 0; from < records.length; from += BATCH) await store.writer.write([{ fid, records: records.slice(from, from + BATCH) }])
  return fid
}

async function writeRuns(store: ExecutionStore): Promise<void> {
  const now = Date.now()
  for (let from = 0; from < RUNS; from += 200) {
    const some = Array.from({ length: 200 }, (_none, index) => {
      const n = from + index
      const random = new Uint8Array(8)
      new DataView(random.buffer).setUint32(0, n)
      return { n, fid: newFid(now - n * 1000, random), createdAt: now / 1000 - n }
    })
    for (const { n, fid, createdAt } of some) {
      const about = {
        flow: n % 3 === 0 ? 'bench' : 'three-steps',
        version: null,
        summary: n === 5000 ? 'The needle.' : 'A bench run.',
        tags: [n % 2 === 0 ? 'blue' : 'red'],
      }
      await store.runs.create({ fid, ...about, user: 'admin', parent: null, inputs: { city: `city-${n}` }, createdAt, launcher: 'bench', idempotencyKey: null })
    }
    await store.writer.write(some.map(({ n, fid }) => ({ fid, records: shortRun(now, n) })))
  }
}

function shortRun(epoch: number, n: number): EventRecord[] {
  const data = [
    ['attempt', { attempt: 1, reason: 'start', owner: 'bench', prev: '0-0' }],
    ['status', { status: 'running' }],
    ['status', { status: n % 10 === 0 ? 'error' : 'finished' }],
  ] as const
  return data.map(([kind, body], index) => ({ epoch, seq: index + 1, ts: epoch / 1000, kind, step: null, data: toJsonText(body) }))
}

async function withBrowser<T>(work: (browser: Browser) => Promise<T>): Promise<T> {
  const browser = await openBrowser(await chromiumProgram())
  try {
    return await work(browser)
  } finally {
    await browser.close()
  }
}

/** An embedded installation whose store was filled before it started. */
async function withInstallation<T>(
  fill: (store: ExecutionStore) => Promise<T>,
  work: (installation: Installation, filled: T) => Promise<Figure[]>,
): Promise<Figure[]> {
  const installation = await createInstallation({ KODO_FLOWS: new URL('../flows/bench-flows.ts', import.meta.url).pathname })
  try {
    const store = await openExecutionStore({ dir: installation.env['KODO_EXEC_DIR'], migrate: true })
    const filled = await fill(store)
    await store.close()
    await installation.startPanel('start')
    return await work(installation, filled)
  } finally {
    await installation.close()
  }
}
