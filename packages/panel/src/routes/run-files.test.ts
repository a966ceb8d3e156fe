/*
 * Goal: files of a run come out whole or in the part that was asked for, as downloads that no browser runs, to those who may see the run; a worker on another host has the same files as one
 * beside the folder; nothing leads out of it. Method: HTTP against a listening panel; addresses that clients would tidy go over a bare socket; the contract of file stores over the API.
 */
import { stat, symlink, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { createPanelFiles, FileFolder, type FileStore } from '@koco/flow'
import { describeFileStore } from '@koco/flow/contract'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { rangeOf } from '../files/range.ts'
import { call } from '../testing/call.ts'
import { closeTestParts, openTestPanel, type TestPanel, type TestRun } from '../testing/test-panel.ts'

let at: TestPanel
let ann: Awaited<ReturnType<TestPanel['user']>>
let run: TestRun
let folder: FileFolder
let remote: FileStore

beforeAll(async () => {
  at = await openTestPanel({ settings: { fileBytesMax: 1_000_000 } })
  ann = await at.user('user')
  run = await at.run(ann.name)
  folder = new FileFolder(join(at.folder, 'uploads'))
  remote = createPanelFiles({ url: at.url, key: ann.headers.authorization.slice(7), delayMs: 1 })
  await folder.write(run.fid, 'out/digits.txt', '0123456789')
  await folder.write(run.fid, 'out/Grüße "x".html', '<script>alert(1)</script>')
  await folder.write(run.fid, 'out/empty', '')
})
afterAll(async () => {
  await at.close()
  await closeTestParts()
})

const address = (path: string) => `${at.url}/api/runs/${run.fid}/files/${path}`
const get = (path: string, headers: Readonly<Record<string, string>> = {}) => fetch(address(path), { headers: { ...ann.headers, ...headers } })

describe('download', () => {
  test('a file is an attachment that is not sniffed and has no rights', async () => {
    const answer = await get(`out/${encodeURIComponent('Grüße "x".html')}`)
    expect([answer.status, await answer.text()]).toEqual([200, '<script>alert(1)</script>'])
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-type': 'application/octet-stream',
      'x-content-type-options': 'nosniff',
      'content-disposition': `attachment; filename="Gr__e _x_.html"; filename*=UTF-8''Gr%C3%BC%C3%9Fe%20%22x%22.html`,
      'content-security-policy': "sandbox; default-src 'none'",
      'content-length': '25',
    })
    expect((await get('out/digits.txt')).headers.get('content-type')).toBe('text/plain')
    const head = await fetch(address('out/digits.txt'), { method: 'HEAD', headers: ann.headers })
    expect([head.status, head.headers.get('content-length'), head.headers.get('accept-ranges')]).toEqual([200, '10', 'bytes'])
    expect(await (await get('out/empty')).text()).toBe('')
  })

  test('a part is given, the whole when the file has changed, 416 when there is no such part', async () => {
    const part = await get('out/digits.txt', { range: 'bytes=3-5' })
    expect([part.status, part.headers.get('content-range'), await part.text()]).toEqual([206, 'bytes 3-5/10', '345'])
    const tag = part.headers.get('etag') ?? ''
    expect(await (await get('out/digits.txt', { range: 'bytes=-2', 'if-range': tag })).text()).toBe('89')
    expect((await get('out/digits.txt', { range: 'bytes=3-5', 'if-range': '"other"' })).status).toBe(200)
    expect((await get('out/digits.txt', { 'if-none-match': tag })).status).toBe(304)
    const none = await get('out/digits.txt', { range: 'bytes=10-' })
    expect([none.status, none.headers.get('content-range'), none.headers.get('content-type')]).toEqual([
      416,
      'bytes */10',
      'application/problem+json; charset=utf-8',
    ])
  })

  test('a part of a large file, which lies in the content store, is the same through every door', async () => {
    const bytes = Buffer.alloc(300_000, 'no two parts of it are alike: ').map((byte, at) => (byte + at * at) % 256)
    await remote.write(run.fid, 'out/large.bin', bytes)
    expect((await stat(join(at.folder, 'uploads/runs', run.fid, 'out/large.bin'))).size).toBeLessThan(1000)
    const head = await fetch(address('out/large.bin'), { method: 'HEAD', headers: ann.headers })
    expect(head.headers.get('content-length')).toBe('300000')
    const part = await get('out/large.bin', { range: 'bytes=100000-100099' })
    expect([part.status, part.headers.get('content-range')]).toEqual([206, 'bytes 100000-100099/300000'])
    expect(Buffer.from(await part.arrayBuffer()).equals(bytes.subarray(100_000, 100_100))).toBe(true)
    expect(Buffer.from(await (await get('out/large.bin')).arrayBuffer()).equals(bytes)).toBe(true)
  })

  test.each([
    ['bytes=0-0', { start: 0, end: 0 }],
    ['bytes=5-', { start: 5, end: 9 }],
    ['bytes=5-99', { start: 5, end: 9 }],
    ['bytes=-3', { start: 7, end: 9 }],
    ['bytes=-99', { start: 0, end: 9 }],
    ['bytes=-0', 'none'],
    ['bytes=10-', 'none'],
    ['bytes=5-3', undefined],
    ['bytes=-', undefined],
    ['bytes=0-1,3-4', undefined],
    ['lines=1-2', undefined],
    [undefined, undefined],
  ])('of ten bytes %s is %o', (header, expected) => expect(rangeOf(header, 10)).toEqual(expected))
})

describe('whose', () => {
  test('to others the run is unknown, with all its files; operators see them', async () => {
    const bob = await at.user('user')
    const operator = await at.user('operator')
    for (const path of ['', '/out', '/out/digits.txt']) {
      const url = `${at.url}/api/runs/${run.fid}/files${path}`
      expect((await fetch(url, { headers: bob.headers })).status, path).toBe(404)
      expect((await fetch(url, { headers: operator.headers })).status, path).toBe(200)
    }
    const put = await fetch(address('out/x'), { method: 'PUT', headers: { ...bob.headers, 'content-type': 'application/octet-stream' }, body: 'x' })
    expect(put.status).toBe(404)
  })

  test('a file is taken away when its run is over, not before', async () => {
    const other = await at.run(ann.name)
    await folder.write(other.fid, 'out/a', 'x')
    const remove = () => call(`${at.url}/api/runs/${other.fid}/files/out/a`, 'DELETE', ann.headers)
    await other.begin()
    expect(await remove()).toMatchObject({ status: 409, body: { code: 'run_live' } })
    await other.finish()
    expect((await remove()).status).toBe(204)
    expect(await remove()).toMatchObject({ status: 404, body: { code: 'unknown_file' } })
  })
})

describe('ways out', () => {
  // A client that tidies nothing.
  const raw = (method: string, path: string) =>
    new Promise<string>((resolve, reject) => {
      const socket = connect(Number(new URL(at.url).port), '127.0.0.1')
      let text = ''
      socket.setEncoding('latin1').on('data', (chunk: string) => (text += chunk))
      socket.once('error', reject).once('close', () => resolve(text))
      const head = [`${method} /api/runs/${run.fid}/files/${path} HTTP/1.1`, 'host: x', `authorization: ${ann.headers.authorization}`, 'connection: close']
      const body = method === 'PUT' ? ['content-type: application/octet-stream', 'content-length: 1', '', 'x'] : ['', '']
      socket.write([...head, ...body].join('\r\n'), 'latin1')
    })

  test.each([
    ['raw', 'out/../../../admin-1.db'],
    ['raw, from the side', '../files/out/digits.txt/../../../../admin-1.db'],
    ['encoded', 'out/%2e%2e%2f%2e%2e%2f%2e%2e%2fadmin-1.db'],
    ['encoded dots', 'out/%2e%2e/%2e%2e/%2e%2e/admin-1.db'],
    ['encoded twice', 'out/%252e%252e%252fadmin-1.db'],
    ['with a backslash', String.raw`out/..\..\..\admin-1.db`],
    ['with an encoded backslash', 'out/..%5c..%5cadmin-1.db'],
    ['absolute', 'out//etc/passwd'],
    ['absolute, encoded', 'out/%2fetc%2fpasswd'],
    ['a drive', 'C:/windows/win.ini'],
    ['NUL', 'out/digits.txt%00.png'],
    ['leading dots', 'out/.part/x'],
    ['an unfinished write', 'out/../.part/x'],
    ['overlong UTF-8', 'out/%c0%ae%c0%ae/x'],
    ['another side', 'tmp/x'],
  ])('%s leads nowhere', async (_name, path) => {
    for (const method of ['GET', 'PUT', 'DELETE']) {
      const answer = await raw(method, path)
      // Encoded twice it is a name like any other, of a file that is not there.
      if (method === 'PUT' && path.includes('%25')) expect(answer).toMatch(/^HTTP\/1\.1 200 /)
      else expect(answer, method).toMatch(/^HTTP\/1\.1 (400|404|409) /)
      expect(answer).not.toContain('SQLite')
    }
  })

  test('a link in the folder of a run is not followed', async () => {
    const outside = join(at.folder, 'secret.txt')
    await writeFile(outside, 'secret')
    await symlink(outside, join(at.folder, 'uploads/runs', run.fid, 'out/link.txt'))
    await symlink(at.folder, join(at.folder, 'uploads/runs', run.fid, 'out/links'))
    for (const path of ['out/link.txt', 'out/links/secret.txt']) expect((await get(path)).status, path).toBe(404)
    const put = await fetch(address('out/links/new.txt'), {
      method: 'PUT',
      headers: { ...ann.headers, 'content-type': 'application/octet-stream' },
      body: 'x',
    })
    expect(put.status).toBe(400)
    const listed = await call(`${at.url}/api/runs/${run.fid}/files?limit=1000`, 'GET', ann.headers)
    expect(JSON.stringify(listed.body)).not.toContain('link')
  })
})

describe('a worker on another host', () => {
  describeFileStore('panel', () => ({ store: remote, newRun: async () => (await at.run(ann.name)).fid }))

  test('sees pages of files as one list, what is given too, and is told what it may not', async () => {
    const other = await at.run(ann.name)
    for (let count = 0; count < 12; count += 1) await folder.write(other.fid, `out/${String(count).padStart(2, '0')}`, 'x')
    const page = await call(`${at.url}/api/runs/${other.fid}/files?limit=5`, 'GET', ann.headers)
    const next = await call(`${at.url}/api/runs/${other.fid}/files?limit=50&after=${String(page.body['next'])}`, 'GET', ann.headers)
    expect([(page.body['items'] as unknown[]).length, (next.body['items'] as unknown[]).length, next.body['next']]).toEqual([5, 7, null])
    expect(await remote.list(other.fid)).toHaveLength(12)
    await expect(remote.write(other.fid, 'out/big', Buffer.alloc(1_000_001))).rejects.toMatchObject({ code: 'file_too_large' })
    const foreign = await at.run((await at.user('user')).name)
    await expect(remote.list(foreign.fid)).rejects.toMatchObject({ code: 'unknown_run' })
    const nobody = createPanelFiles({ url: at.url, key: 'koco_wrong', delayMs: 1 })
    await expect(nobody.list(other.fid)).rejects.toMatchObject({ code: 'not_signed_in' })
    const away = createPanelFiles({ url: 'http://127.0.0.1:1', key: 'x', triesMax: 2, delayMs: 1 })
    await expect(away.list(other.fid)).rejects.toMatchObject({ code: 'no_panel' })
  })
})
