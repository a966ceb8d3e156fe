import { createHash, randomBytes } from 'node:crypto'
import { existsSync, linkSync, mkdirSync, rmSync } from 'node:fs'
import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createFolderBlobs, type BlobStore } from '@koco/blobs'
import { createCheckpointManager, type CheckpointManager, type CheckpointSessions } from '@koco/checkpoints'
import { openExecutionStore, type CheckpointRow, type CheckpointStore } from '@koco/storage'
import { atLeast, atMost, atMostTimes, percentile, type Figure } from './figure.ts'

const MB = 1_000_000
const SMALL = 400
const LARGE = 60
const FILES = 1000
const ROWS = 10_000
const BLOBS = 1_000_000
const MEMORY = '/dev/shm'
/** A file cannot have more names than this on ext4. */
const LINKS_MAX = 60_000

type Place = { readonly dir: string; readonly blobs: BlobStore; readonly store: CheckpointStore; readonly manager: CheckpointManager }

/** How fast checkpoints are made, found and restored, over SQLite and a folder. */
export async function checkpoints(): Promise<Figure[]> {
  const dir = await mkdtemp(join(tmpdir(), 'koco-bench-'))
  const execution = await openExecutionStore({ dir: join(dir, 'execution'), migrate: true })
  const blobs = createFolderBlobs({ dir: join(dir, 'content') })
  const store = execution.checkpoints
  const manager = createCheckpointManager({ dir: join(dir, 'manifests'), blobs, store, sessions: benchSessions(dir), maxCheckpoints: 1_000_000 })
  const place = { dir, blobs, store, manager }
  try {
    return [...(await small(place)), await large(place), await unchanged(place), await restored(place), ...(await found(place))]
  } finally {
    await manager.close()
    await execution.close()
    await rm(dir, { recursive: true })
  }
}

/** Sessions that are a folder and two messages each. */
function benchSessions(dir: string): CheckpointSessions {
  const messages = [{ role: 'user', content: 'hi' }]
  return {
    read: (id) => Promise.resolve({ id, user: 'bench', position: 1, messages, state: {}, record: null, workspace: join(dir, 'sessions', id), busy: false }),
    place: (_user, id = randomBytes(6).toString('hex')) => Promise.resolve({ id, workspace: join(dir, 'restored', id) }),
    create: () => Promise.resolve(),
    replace: () => Promise.resolve(),
    pending: () => Promise.resolve({ steps: [], locks: [] }),
  }
}

/** New content of 10 KB each, four sessions at a time, into an empty store: the first 400, and 400 more. */
async function small({ dir, manager }: Place): Promise<Figure[]> {
  const make = async (kind: string): Promise<number> => {
    const ids = await Promise.all(Array.from({ length: SMALL }, async (_none, i) => await workspace(dir, `${kind}${i}`, { 'a.txt': textOf(10_000) })))
    const start = performance.now()
    await inTurns(4, ids, async (id) => await manager.create(id))
    return (SMALL / (performance.now() - start)) * 1000
  }
  return [
    atLeast('checkpoints of 10 KB, the first of a store', await make('first'), '/s', 300),
    atLeast('checkpoints of 10 KB', await make('small'), '/s', 300),
  ]
}

/** New content of 1 MB each at level 6, two sessions at a time. */
async function large({ dir, manager }: Place): Promise<Figure> {
  const ids = await Promise.all(Array.from({ length: LARGE }, async (_none, i) => await workspace(dir, `large${i}`, { 'a.txt': textOf(MB) })))
  const start = performance.now()
  await inTurns(2, ids, async (id) => await manager.create(id, { compressionLevel: 6 }))
  return atLeast('checkpoints of 1 MB of new text, level 6', LARGE / ((performance.now() - start) / 1000), 'MB/s', 60)
}

async function unchanged({ dir, manager }: Place): Promise<Figure> {
  const files = Object.fromEntries(Array.from({ length: FILES }, (_none, i) => [`folder${i % 20}/file${i}.txt`, textOf(2000)]))
  const id = await workspace(dir, 'unchanged', files)
  await manager.create(id)
  const samples: number[] = []
  for (let i = 0; i < 9; i++) {
    const start = performance.now()
    await manager.create(id, { incremental: true })
    samples.push(performance.now() - start)
  }
  return atMost(`incremental checkpoint of ${FILES} files that did not change`, percentile(samples, 0.5), 'ms', 150)
}

async function restored({ dir, manager }: Place): Promise<Figure> {
  const id = await workspace(dir, 'restored', { 'a.txt': textOf(60 * MB), 'b.txt': textOf(20 * MB), 'c.bin': randomBytes(20 * MB) })
  const made = await manager.create(id)
  const samples: number[] = []
  for (let i = 0; i < 3; i++) {
    const start = performance.now()
    await manager.restore(made.id)
    samples.push(performance.now() - start)
  }
  return atLeast('restore of 100 MB', 100 / (percentile(samples, 0.5) / 1000), 'MB/s', 100)
}

/** Lists and searches over 10,000 checkpoints of one user. */
async function found({ store }: Place): Promise<Figure[]> {
  const rows = Array.from({ length: ROWS }, (_none, i) => someRow(i))
  await inTurns(64, rows, async (row) => await store.insert(row))
  const time = async (ask: () => Promise<unknown>): Promise<number> => {
    const samples: number[] = []
    for (let i = 0; i < 9; i++) {
      const start = performance.now()
      await ask()
      samples.push(performance.now() - start)
    }
    return percentile(samples, 0.5)
  }
  const user = 'many'
  return [
    atMost('list among 10,000 checkpoints', await time(() => store.list({ user, limit: 100 })), 'ms', 50),
    atMost(
      'two tags and metadata among 10,000',
      await time(() => store.list({ user, tags: ['odd', 'rare7'], metadata: { n: { m: 3 } }, limit: 100 })),
      'ms',
      50,
    ),
    atMost('words that none of 10,000 has', await time(() => store.list({ user, q: 'nothing has these words', limit: 100 })), 'ms', 50),
  ]
}

/** Is this content there? Among a million contents, against among few. In a file system in memory where there is one: a million names are made in seconds there, and what is measured is the way to a name. */
export async function millionContents(): Promise<Figure[]> {
  const dir = await mkdtemp(join(existsSync(MEMORY) ? MEMORY : tmpdir(), 'koco-bench-'))
  try {
    return [await amongMany(dir)]
  } finally {
    rmSync(dir, { recursive: true })
  }
}

async function amongMany(dir: string): Promise<Figure> {
  const time = async (blobs: BlobStore): Promise<number> => {
    const hashes = Array.from({ length: 2000 }, (_none, i) => hashOf(i * 7))
    await blobs.touch(hashes)
    const start = performance.now()
    await blobs.touch(hashes)
    return performance.now() - start
  }
  const [few, many] = [await fakeBlobs(join(dir, 'few'), 20_000), await fakeBlobs(join(dir, 'many'), BLOBS)]
  return atMostTimes('2,000 look-ups among 1,000,000 contents, against among 20,000', await time(many), 'ms', await time(few), 2)
}

/** A store with so many blobs, all of them names of a few files. */
async function fakeBlobs(dir: string, count: number): Promise<BlobStore> {
  const blobs = createFolderBlobs({ dir })
  const shards = new Set<string>()
  let source = ''
  for (let i = 0; i < count; i++) {
    const hash = hashOf(i)
    const shard = join(dir, 'blobs', hash.slice(0, 2))
    if (!shards.has(shard)) mkdirSync(shard, { recursive: true })
    shards.add(shard)
    if (i % LINKS_MAX === 0) await writeFile((source = join(dir, `source${i}`)), randomBytes(64))
    linkSync(source, join(shard, hash))
  }
  return blobs
}

function hashOf(i: number): string {
  return createHash('sha256').update(String(i)).digest('hex')
}

async function workspace(dir: string, id: string, files: Readonly<Record<string, string | Buffer>>): Promise<string> {
  const folder = join(dir, 'sessions', id)
  const past = new Date(Date.now() - 60_000)
  for (const [path, content] of Object.entries(files)) {
    await mkdir(join(folder, path, '..'), { recursive: true })
    await writeFile(join(folder, path), content)
    await utimes(join(folder, path), past, past)
  }
  return id
}

/** Text that nobody has written before and that compresses as prose does, to about a third. */
function textOf(bytes: number): string {
  const words = Array.from({ length: 4000 }, () => randomBytes(1 + Math.floor(Math.random() * 4)).toString('hex'))
  const parts: string[] = []
  for (let size = 0; size < bytes;) {
    const word = words[Math.floor(Math.random() ** 2 * words.length)] ?? ''
    parts.push(word)
    size += word.length + 1
  }
  return parts.join(' ').slice(0, bytes)
}

function someRow(i: number): CheckpointRow {
  const tags = [i % 2 === 0 ? 'even' : 'odd', `rare${i % 100}`]
  const id = `ck${i.toString(16).padStart(24, '0')}`
  const about = { description: `Checkpoint number ${i} of a long conversation about travelling`, tags, metadata: { n: { m: i % 4 }, stage: 'draft' } }
  const sizes = { position: i, messages: i, files: 3, bytes: 1000, added: 100, manifest: hashOf(i) }
  return {
    id,
    session: `${i % 50}`.padStart(12, '0'),
    user: 'many',
    createdAt: i,
    ...about,
    origin: 'manual',
    parent: null,
    merged: null,
    ...sizes,
    revision: 1,
    lock: null,
  }
}

async function inTurns<T>(atOnce: number, items: readonly T[], act: (item: T) => Promise<unknown>): Promise<void> {
  const queue = items.values()
  const worker = async (): Promise<void> => {
    for (const item of queue) await act(item)
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
}
