// Goal: an archive carries a checkpoint whole to another place, and a hostile one carries nothing anywhere. Method: round trips, then archives made by hand, each with one thing wrong.
import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { gunzipSync, gzipSync } from 'node:zlib'
import { extract, pack, type Pack } from 'tar-stream'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { manifestText, parseManifest, type Manifest } from '../manifest/manifest.ts'
import type { Checkpoint } from '../parts.ts'
import type { Fixture } from './fixture.ts'

type Part = { readonly header: Parameters<Pack['entry']>[0]; readonly content: Buffer }

/** exportTo, importFrom. */
export function describeArchives(fixture: () => Fixture): void {
  const { manager, sessions } = { manager: () => fixture().manager, sessions: () => fixture().sessions }
  let folder = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'koco-archives-'))
  })
  afterAll(async () => await rm(folder, { recursive: true }))

  async function exported(files: Record<string, string | Buffer> = { a: 'alpha', 'b/c': 'gamma', d: 'alpha' }): Promise<{ made: Checkpoint; file: string }> {
    const { id } = await sessions().add({ files })
    const made = await manager().create(id, { description: 'To carry “ü”', tags: ['one', 'two'], metadata: { deep: { n: [1, null, { x: true }] } } })
    const file = join(folder, `${made.id}.tar.gz`)
    await manager().exportTo(made.id, file)
    return { made, file }
  }

  test('a round trip keeps content, description, tags and metadata', async () => {
    const { made, file } = await exported({ a: 'alpha', large: randomBytes(5 * 1024 * 1024), empty: '', 'ü 🚂': 'x' })
    await manager().delete(made.id)
    const back = await manager().importFrom(file, { user: 'bob' })
    const { description, tags, metadata, createdAt, conversation, state, sessionId } = made
    expect(back).toMatchObject({ id: made.id, user: 'bob', origin: 'import', description, tags, metadata, createdAt, conversation, state, sessionId })
    expect(back.files.map(({ path, hash, size, mode }) => [path, hash, size, mode])).toEqual(
      made.files.map(({ path, hash, size, mode }) => [path, hash, size, mode]),
    )
    const { workspace } = await manager().restore(back.id)
    expect(await readFile(join(workspace ?? '', 'large'))).toEqual(await readFile(join(sessions().all.get(sessionId)?.workspace ?? '', 'large')))
    expect(await readdir(folder)).toContain(`${made.id}.tar.gz`)
    expect((await readdir(folder)).filter((name) => name.includes('.part'))).toEqual([])
  })

  test('what is here already is not there twice; another one with the same id gets a new one', async () => {
    const { made, file } = await exported()
    expect(await manager().importFrom(file)).toEqual(made)
    const [manifest, ...blobs] = await partsOf(file)
    const other = { ...read(manifest), files: read(manifest).files.slice(0, -1) }
    const archive = await write(folder, [manifestPart(other), ...blobs])
    const imported = await manager().importFrom(archive)
    expect(imported.id).not.toBe(made.id)
    expect(await manager().get(made.id)).toEqual(made)
  })

  test('an archive has its manifest first, and each content once', async () => {
    const { made, file } = await exported()
    const names = (await partsOf(file)).map(({ header }) => header.name)
    expect(names).toEqual(['manifest.json', ...new Set(made.files.map(({ hash }) => `blobs/${hash}`))])
  })

  const hostile: readonly [name: string, change: (parts: readonly Part[]) => readonly Part[]][] = [
    ['a path that leads out', (parts) => [...parts, plain('../../escape', 'x')]],
    ['an absolute path', (parts) => [...parts, plain('/tmp/koco-escape', 'x')]],
    ['a symbolic link', (parts) => [...parts, { header: { name: 'blobs/link', type: 'symlink', linkname: '/etc/passwd' }, content: Buffer.alloc(0) }]],
    ['a hard link', (parts) => [...parts, { header: { name: parts[1]?.header.name ?? '', type: 'link', linkname: '/etc/passwd' }, content: Buffer.alloc(0) }]],
    ['a device', (parts) => [...parts, { header: { name: 'blobs/null', type: 'character-device', devmajor: 1, devminor: 3 }, content: Buffer.alloc(0) }]],
    ['a pipe', (parts) => [...parts, { header: { name: 'blobs/pipe', type: 'fifo' }, content: Buffer.alloc(0) }]],
    ['a folder', (parts) => [...parts, { header: { name: 'blobs/', type: 'directory' }, content: Buffer.alloc(0) }]],
    ['content twice', (parts) => [...parts, ...parts.slice(-1)]],
    [
      'content of another hash',
      ([manifest, ...blobs]) => [...some(manifest), ...blobs.map(({ header, content }) => ({ header, content: Buffer.alloc(content.byteLength, '!') }))],
    ],
    ['content that nobody asked for', (parts) => [...parts, blobPart(Buffer.from('stowaway'))]],
    ['content that is missing', (parts) => parts.slice(0, -1)],
    ['no manifest', (parts) => parts.slice(1)],
    ['its manifest last', ([manifest, ...blobs]) => [...blobs, ...some(manifest)]],
    ['nothing', () => []],
    [
      'a manifest that was changed',
      ([manifest, ...blobs]) => [plain('manifest.json', manifest?.content.toString().replace('To carry', 'To carrY') ?? ''), ...blobs],
    ],
    ['a file path that leads out', (parts) => renamed(parts, '../../escape')],
    ['an absolute file path', (parts) => renamed(parts, '/etc/cron.d/escape')],
    ['a file path with a dot in it', (parts) => renamed(parts, 'x/./y')],
    ['a file path with an empty name', (parts) => renamed(parts, 'x//y')],
    ['a file path with a backslash', (parts) => renamed(parts, '..\\..\\escape')],
    ['paths that differ by case only', (parts) => renamed(parts, 'A')],
    ['paths that differ by composition only', (parts) => renamed(renamed(parts, 'u\u0308', 'd'), '\u00fc', 'b/c')],
    ['a file where a folder is', (parts) => renamed(parts, 'b', 'd')],
    ['a conversation under another name', (parts) => renamed(parts, '.session/fake')],
    ['a mode with the sticky and set-user-id bits', (parts) => changed(parts, (file) => ({ ...file, mode: 0o4755 }))],
    ['a user that is no name', ([manifest, ...blobs]) => [manifestPart({ ...read(manifest), user: '../root' }), ...blobs]],
    ['an id that is none', ([manifest, ...blobs]) => [manifestPart({ ...read(manifest), id: '../../escape' }), ...blobs]],
  ]

  test.each(hostile)('an archive with %s is refused, and nothing of it stays', async (_name, change) => {
    const { made, file } = await exported({ a: `alpha ${randomBytes(4).toString('hex')}`, 'b/c': 'gamma', d: 'delta' })
    const archive = await write(folder, change(await partsOf(file)))
    await manager().delete(made.id)
    const before = [(await manager().totals()).count, await readdir(folder), await readdir(fixture().dir)]
    await expect(manager().importFrom(archive)).rejects.toMatchObject({ code: expect.stringMatching(/^bad_(archive|path)$/) })
    expect([(await manager().totals()).count, await readdir(folder), await readdir(fixture().dir)]).toEqual(before)
  })

  test('bombs are refused before they are unpacked', async () => {
    const [manifest] = await partsOf((await exported()).file)
    const zeros = Buffer.alloc(64 * 1024 * 1024)
    const bomb = await write(folder, [manifestPart(withFile(read(manifest), zeros)), blobPart(zeros)])
    await expect(manager().importFrom(bomb)).rejects.toMatchObject({ code: 'bad_archive', message: expect.stringContaining('200 times') })
    const { file } = await exported({ a: randomBytes(200_000) })
    await expect(manager().importFrom(file, { limits: { bytesMax: 100_000 } })).rejects.toMatchObject({ code: 'bad_archive' })
    await expect(manager().importFrom(file, { limits: { entriesMax: 2 } })).rejects.toMatchObject({ code: 'bad_archive' })
    await expect(manager().importFrom(file, { limits: { manifestBytesMax: 10 } })).rejects.toMatchObject({ code: 'bad_archive' })
  })

  test('broken bytes are refused, wherever they break', async () => {
    const bytes = await readFile((await exported()).file)
    const tar = gunzipSync(bytes)
    const broken = [
      Buffer.alloc(0),
      randomBytes(1000),
      bytes.subarray(0, bytes.byteLength / 2),
      gzipSync(tar.subarray(0, 1500)),
      gzipSync(randomBytes(5000)),
      tar,
    ]
    for (const [i, content] of broken.entries()) {
      const file = join(folder, `broken-${i}`)
      await writeFile(file, content)
      await expect(manager().importFrom(file)).rejects.toMatchObject({ code: 'bad_archive' })
    }
    await expect(manager().importFrom(join(folder, 'never'))).rejects.toMatchObject({ code: 'unknown_file' })
  })

  test('an export whose content is damaged leaves no file', async () => {
    const { made } = await exported({ a: 'fine' })
    const blobs = { ...fixture().blobs, open: () => Promise.reject(new Error('the disk is gone')) }
    const file = join(folder, 'never.tar.gz')
    await expect(fixture().another({ blobs }).exportTo(made.id, file)).rejects.toThrow('the disk is gone')
    expect((await readdir(folder)).filter((name) => name.startsWith('never'))).toEqual([])
  })
}

async function partsOf(file: string): Promise<Part[]> {
  const parts: Part[] = []
  const tar = extract()
  tar.end(gunzipSync(await readFile(file)))
  for await (const entry of tar) parts.push({ header: { name: entry.header.name, type: 'file' }, content: await buffer(entry) })
  return parts
}

async function write(folder: string, parts: readonly Part[]): Promise<string> {
  const tar = pack()
  for (const { header, content } of parts) tar.entry({ ...header, size: content.byteLength }, content)
  tar.finalize()
  const file = join(folder, `made-${randomBytes(6).toString('hex')}.tar.gz`)
  await writeFile(file, gzipSync(await buffer(tar)))
  return file
}

function plain(name: string, content: string): Part {
  return { header: { name, type: 'file' }, content: Buffer.from(content) }
}

function blobPart(content: Buffer): Part {
  return { header: { name: `blobs/${sum(content)}`, type: 'file' }, content }
}

function manifestPart(manifest: Manifest): Part {
  return plain('manifest.json', manifestText(manifest))
}

function read(part: Part | undefined): Manifest {
  const manifest = parseManifest(part?.content.toString() ?? '')
  if (!manifest) throw new Error('there is no manifest')
  return manifest
}

/** The same archive whose last file (or the one of that path) is called otherwise. */
function renamed(parts: readonly Part[], to: string, from = 'd'): Part[] {
  return changed(parts, (file) => (file.path === from ? { ...file, path: to } : file))
}

function changed([manifest, ...blobs]: readonly Part[], change: (file: Manifest['files'][number]) => Manifest['files'][number]): Part[] {
  const before = read(manifest)
  return [manifestPart({ ...before, files: before.files.map(change) }), ...blobs]
}

function withFile(manifest: Manifest, content: Buffer): Manifest {
  return { ...manifest, files: [{ path: 'bomb', hash: sum(content), size: content.byteLength, stored: 0, mode: 0o644, stamp: null }] }
}

function some<T>(value: T | undefined): T[] {
  return value === undefined ? [] : [value]
}

function sum(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex')
}
