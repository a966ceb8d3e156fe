/*
 * Goal: a file comes whole whatever happens on the way, belongs to who sent it, stays within its limits, goes away when nobody uses it; and a run starts only when its files are complete.
 * Method: the tus protocol by hand over HTTP, real flows, a clock that the test moves.
 */
import { randomBytes } from 'node:crypto'
import { readdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { defaultFileLimits, FileFolder } from '@koco/flow'
import { Starting } from '../files/starting.ts'
import { Uploads } from '../files/uploads.ts'
import { call, type Answer } from '../testing/call.ts'
import { closeTestParts, openTestPanel, type TestPanel } from '../testing/test-panel.ts'
import { tusClient } from '../testing/tus.ts'

let at: TestPanel
let ann: Awaited<ReturnType<TestPanel['user']>>
let bob: Awaited<ReturnType<TestPanel['user']>>
let tus: ReturnType<typeof tusClient>

beforeAll(async () => {
  at = await openTestPanel({ settings: { fileBytesMax: 2_000_000, runBytesMax: 2_500_000, uploadExpiresS: 3600 } })
  ann = await at.user('user')
  bob = await at.user('user')
  tus = tusClient(at.url, ann.headers)
})
afterAll(async () => {
  await at.close()
  await closeTestParts()
})

const start = (inputs: object, headers: Readonly<Record<string, string>> = ann.headers, more: Readonly<Record<string, string>> = {}): Promise<Answer> =>
  call(`${at.url}/api/runs`, 'POST', { ...headers, ...more }, { flow: 'read', inputs })
const fieldsOf = ({ body }: Answer) => Object.fromEntries((body['errors'] as { path: string; message: string }[]).map(({ path, message }) => [path, message]))

describe('the protocol', () => {
  test('a server says what it can', async () => {
    const answer = await fetch(`${at.url}/api/uploads`, { method: 'OPTIONS' })
    expect([answer.status, answer.headers.get('tus-version'), answer.headers.get('tus-max-size')]).toEqual([204, '1.0.0', '2000000'])
    expect(answer.headers.get('tus-extension')).toBe('creation,creation-with-upload,termination')
    expect(answer.headers.get('access-control-allow-origin')).toBeNull()
  })

  test('an upload goes on after a cut where it was, and comes out byte for byte', async () => {
    const bytes = randomBytes(1_500_000)
    const { id, status, headers } = await tus.begin(bytes.byteLength, { filename: 'big.txt' })
    expect([status, headers.get('location')]).toEqual([201, `/api/uploads/${id}`])
    const onDisk = () => stat(join(at.folder, 'uploads/uploads', id)).then(({ size }) => size)
    await tus.cut(id, bytes.byteLength, bytes.subarray(0, 700_000), async () => {
      await vi.waitUntil(async () => (await onDisk()) > 0, { timeout: 25_000 })
    })
    let offset = 0
    // The server may still be writing what had arrived.
    const rest = await vi.waitUntil(
      async () => {
        offset = (await tus.head(id)).offset ?? 0
        const answer = await tus.patch(id, offset, bytes.subarray(offset))
        return answer.status === 409 ? undefined : answer
      },
      { timeout: 25_000 },
    )
    expect([rest?.status, rest?.offset]).toEqual([204, bytes.byteLength])
    expect(offset).toBeGreaterThan(0)
    const { fid } = (await start({ doc: id })).body as { fid: string }
    const file = await fetch(`${at.url}/api/runs/${fid}/files/in/big.txt`, { headers: ann.headers })
    expect(Buffer.from(await file.arrayBuffer()).equals(bytes)).toBe(true)
  })

  test('pieces at a wrong place, without version or without size are problems and change nothing', async () => {
    const { id } = await tus.begin(10, { filename: 'a.txt' })
    expect(await tus.patch(id, 5, 'x')).toMatchObject({ status: 409, problem: { code: 'upload_offset' } })
    expect(await call(`${at.url}/api/uploads`, 'POST', { ...ann.headers, 'upload-length': '3' })).toMatchObject({ status: 412, body: { code: 'tus_version' } })
    expect(await call(`${at.url}/api/uploads`, 'POST', { ...ann.headers, 'tus-resumable': '1.0.0', 'upload-defer-length': '1' })).toMatchObject({
      status: 400,
      body: { code: 'upload_length' },
    })
    expect((await tus.patch(id, 0, 'more than ten bytes')).status).toBe(413)
    expect((await tus.head(id)).offset).toBe(0)
  })

  test('an upload can be given up, and its name is made safe', async () => {
    const { id } = await tus.begin(3, { filename: String.raw`..\..\.ssh\id`, relativePath: '../../etc/cron.d/x' })
    const about = await call(`${at.url}/api/uploads/${id}`, 'GET', ann.headers)
    expect(about.body).toMatchObject({ id, name: 'etc/cron.d/x', size: 3, offset: 0, complete: false, used: false })
    const mine = async () => ((await call(`${at.url}/api/uploads`, 'GET', ann.headers)).body['items'] as { id: string }[]).map((one) => one.id)
    expect(await mine()).toContain(id)
    expect((await tus.remove(id)).status).toBe(204)
    expect(await tus.head(id)).toMatchObject({ status: 404 })
    expect(await mine()).not.toContain(id)
  })
})

describe('whose', () => {
  test('an upload is unknown to everybody but who began it, operators too, whatever headers they send', async () => {
    const id = await tus.upload('mine.txt', 'mine')
    for (const other of [bob, await at.user('operator')]) {
      const client = tusClient(at.url, { ...other.headers, 'x-koco-owner': ann.name })
      expect(await client.head(id)).toMatchObject({ status: 404 })
      expect(await client.patch(id, 4, '')).toMatchObject({ status: 404, problem: { code: 'unknown_upload' } })
      expect(await client.remove(id)).toMatchObject({ status: 404 })
      expect(fieldsOf(await start({ doc: id }, other.headers))).toEqual({ '/doc': 'There is no such upload of yours.' })
    }
    const forged = await tusClient(at.url, { ...bob.headers, 'x-koco-owner': ann.name, 'x-koco-upload': '../x' }).begin(0, { filename: 'x', owner: ann.name })
    expect(forged.id).toMatch(/^[0-9a-f]{32}$/)
    expect(await tus.head(forged.id)).toMatchObject({ status: 404 })
  })

  test('ids that lead elsewhere are unknown: raw, encoded, with a backslash, with a NUL', async () => {
    for (const id of ['..', '%2e%2e%2fadmin-1.db', String.raw`..%5cx`, 'x%00', '%2e', `${'0'.repeat(32)}.json`, 'A'.repeat(32)]) {
      expect((await tus.patch(id, 0, 'x')).status, id).toBeGreaterThanOrEqual(404)
    }
  })
})

describe('limits', () => {
  test('a file that is too large is refused before it is sent, in one sentence', async () => {
    const answer = await tus.begin(2_000_001, { filename: 'huge.txt' })
    expect(answer).toMatchObject({
      status: 413,
      problem: { code: 'file_too_large', detail: expect.stringContaining('a file may have 1.9 MiB here') as unknown },
    })
  })

  test('a run takes so many bytes together, and a user so many that no run has used', async () => {
    const client = tusClient(at.url, bob.headers)
    const [one, two] = await Promise.all(['1.txt', '2.txt'].map((name) => client.upload(name, 'x'.repeat(1_900_000))))
    const answer = await start({ doc: one, more: [two] }, bob.headers)
    expect(answer).toMatchObject({ status: 413, body: { code: 'run_files_too_large' } })
    expect(await client.begin(1_900_000, { filename: '3.txt' })).toMatchObject({ status: 409, problem: { code: 'too_many_uploads' } })
    // What a run has used counts no more.
    expect((await start({ doc: one }, bob.headers)).status).toBe(201)
    expect((await client.begin(1_900_000, { filename: '3.txt' })).status).toBe(201)
  })
})

describe('a run with files', () => {
  test('has them under its own names, used once, and tells of the one that it makes', async () => {
    const [doc, same, other] = await Promise.all([tus.upload('a.txt', 'one'), tus.upload('A.txt', 'two'), tus.upload('dir/a.txt', 'three')])
    const answer = await start({ doc, more: [same, other, doc] }, ann.headers, { prefer: 'wait=20' })
    expect(answer.body).toMatchObject({ status: 'finished', final: { value: { texts: ['one', 'two', 'three', 'one'] } } })
    const { fid } = answer.body as { fid: string }
    const run = await at.store.runs.get(fid)
    const { inputs } = run ?? {}
    expect(inputs).toEqual({ doc: 'in/a.txt', more: ['in/A-2.txt', 'in/dir/a.txt', 'in/a.txt'] })
    expect(await tus.head(doc)).toMatchObject({ status: 410 })
    const listed = await call(`${at.url}/api/runs/${fid}/files`, 'GET', ann.headers)
    expect((listed.body['items'] as { path: string }[]).map(({ path }) => path)).toEqual(['in/A-2.txt', 'in/a.txt', 'in/dir/a.txt', 'out/made/report.md'])
    expect(await readdir(join(at.folder, 'uploads/starting'))).toEqual([])
  })

  test('one key is one run, also when its uploads are used up; a file of a run can be given to another', async () => {
    const doc = await tus.upload('a.txt', 'once')
    const first = await start({ doc }, ann.headers, { 'idempotency-key': 'files-1', prefer: 'wait=20' })
    const { fid } = first.body as { fid: string }
    expect(await start({ doc }, ann.headers, { 'idempotency-key': 'files-1' })).toMatchObject({ status: 200, body: { fid } })
    const again = await start({ doc: `${fid}/out/made/report.md`, more: [doc] }, ann.headers, { prefer: 'wait=20' })
    expect(again.body).toMatchObject({ status: 'finished', final: { value: { texts: ['once', 'once'], paths: ['in/made/report.md', 'in/a.txt'] } } })
    expect(fieldsOf(await start({ doc: `${fid}/out/made/report.md` }, bob.headers))['/doc']).toContain('no such file')
    for (const path of [`${fid}/out/../../x.txt`, `${fid}/out/none.txt`, 'in/a.txt', '/etc/passwd', `${fid}/`]) {
      expect(fieldsOf(await start({ doc: path }))['/doc'], path).toMatch(/no file|no such file/)
    }
  })

  test('starts only when its files are complete; what is wrong stands at its field, and uses nothing up', async () => {
    const { id } = await tus.begin(4, { filename: 'late.txt' })
    const doc = await tus.upload('a.txt', 'fine')
    await tus.patch(id, 0, 'la')
    const early = await start({ doc, more: [id] })
    expect([early.status, early.body['code']]).toEqual([409, 'files_incomplete'])
    expect(fieldsOf(early)).toEqual({ '/more/0': '"late.txt" is not complete yet: 50 % of it is here.' })
    const picture = await tus.upload('a.png', 'x')
    const wrong = await start({ doc: picture, more: ['0'.repeat(32)] })
    expect([wrong.status, wrong.body['code']]).toEqual([422, 'invalid_inputs'])
    expect(fieldsOf(wrong)).toEqual({ '/doc': '"a.png" is not among what this field takes: .txt, .md.', '/more/0': 'There is no such upload of yours.' })
    expect((await start({ doc, more: 7 })).status).toBe(422)
    expect((await tus.head(doc)).status).toBe(200)
  })

  test('waits for its files when it is asked to, and starts the moment they are there', async () => {
    const { id } = await tus.begin(4, { filename: 'late.txt' })
    const waiting = start({ doc: id }, ann.headers, { prefer: 'wait=30' })
    await tus.patch(id, 0, 'la')
    await tus.patch(id, 2, 'te')
    expect((await waiting).body).toMatchObject({ status: 'finished', final: { value: { texts: ['late'] } } })
  })

  test('an answer to a question may be a file too; one that is not accepted leaves nothing', async () => {
    const { fid } = await at.launcher.start({ flow: 'ask-file', inputs: {}, user: ann.name, idempotencyKey: null })
    const lid = await vi.waitUntil(async () => (await at.store.locks.list({ fid, limit: 1 })).items[0]?.lid, { timeout: 25_000, interval: 20 })
    const answer = (signed: string) => call(`${at.url}/api/runs/${fid}/locks/${lid ?? ''}`, 'POST', ann.headers, { answer: { signed } })
    expect(await answer('nothing')).toMatchObject({ status: 422, body: { errors: [{ path: '/signed' }] } })
    const first = await tus.upload('signed.pdf', 'signed')
    const second = await tus.upload('signed.pdf', 'other')
    expect((await answer(first)).status).toBe(200)
    expect(await answer(second)).toMatchObject({ status: 409, body: { code: 'lock_answered' } })
    await vi.waitUntil(async () => (await at.store.runs.get(fid))?.status === 'finished', { timeout: 25_000, interval: 20 })
    expect((await at.store.runs.get(fid))?.final?.value).toEqual({ signed: 'in/signed.pdf', text: 'signed' })
    expect((await new FileFolder(join(at.folder, 'uploads')).list(fid)).map(({ path }) => path)).toEqual(['in/signed.pdf'])
    expect((await tus.head(second)).status).toBe(200)
  })
})

test('what nobody goes on with expires: it is gone for its owner at once, from the disk at the next round', async () => {
  const uploadDir = join(at.folder, 'expiring')
  let ageMs = 0
  const clock = () => Date.now() + ageMs
  const other = await openTestPanel({ uploadDir, settings: { uploadExpiresS: 3600 }, clock })
  const person = await other.user('user')
  const client = tusClient(other.url, person.headers)
  const { id } = await client.begin(5, { filename: 'half.txt' })
  await client.patch(id, 0, 'ha')
  expect(new Date((await client.head(id)).headers.get('upload-expires') ?? '').getTime()).toBeGreaterThan(Date.now() + 3_500_000)
  const used = await client.upload('used.txt', 'used')
  const { fid } = (await call(`${other.url}/api/runs`, 'POST', person.headers, { flow: 'read', inputs: { doc: used } })).body as { fid: string }
  ageMs = 3_500_000
  expect((await client.head(id)).status).toBe(200)
  ageMs = 3_700_000
  expect(await client.patch(id, 2, 'lf!')).toMatchObject({ status: 410, problem: { code: 'upload_expired' } })
  await other.close()
  const uploads = new Uploads({ dir: join(uploadDir, 'uploads'), limits: defaultFileLimits, expiresS: 3600, clock })
  expect((await readdir(join(uploadDir, 'uploads'))).toSorted()).toEqual([id, `${id}.json`, `${used}.json`].toSorted())
  await uploads.sweep()
  expect(await readdir(join(uploadDir, 'uploads'))).toEqual([])
  expect((await new FileFolder(uploadDir).list(fid, 'in')).map(({ path }) => path)).toEqual(['in/used.txt'])
})

test('a start that died in between leaves no files behind, one that came through keeps them', async () => {
  const uploadDir = join(at.folder, 'starting')
  const folder = new FileFolder(uploadDir)
  const starting = new Starting(uploadDir, folder)
  const source = join(at.folder, 'source.txt')
  await writeFile(source, 'bytes')
  const { fid: lived } = await at.launcher.start({ flow: 'hello', inputs: { name: 'Ann' }, user: ann.name, idempotencyKey: null })
  const died = 'aaaaaaaaaaaaaaaaaaaaaaaa'
  for (const fid of [lived, died]) await starting.give(fid, [{ from: { upload: source }, path: 'in/a.txt' }])
  await starting.sweep(at.store.runs, Date.now(), 3600)
  expect(await folder.list(died)).toHaveLength(1)
  await starting.sweep(at.store.runs, Date.now() + 3_700_000, 3600)
  expect([(await folder.list(lived)).length, (await folder.list(died)).length]).toEqual([1, 0])
  expect(await readdir(join(uploadDir, 'starting'))).toEqual([])
})
