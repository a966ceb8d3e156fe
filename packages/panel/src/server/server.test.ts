/*
 * Goal: the page is served safely, readiness tells the truth, a shutdown is graceful, nothing of the inside reaches a client.
 * Method: HTTP against a listening panel with a small built page in a throw-away folder.
 */
import { UnavailableError } from '@koco/core'
import { mkdir, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { Workspaces } from '@koco/flow'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createPanel } from '../index.ts'
import { call } from '../testing/call.ts'
import { closeTestParts, openTestPanel, type TestPanel } from '../testing/test-panel.ts'

let at: TestPanel

beforeEach(async () => {
  at = await openTestPanel()
})
afterEach(() => at.close())
afterAll(closeTestParts)

/** Sends a request as it is: fetch would tidy the path. */
function raw(path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(at.url).port), '127.0.0.1')
    let text = ''
    socket.setEncoding('utf8').on('data', (more) => (text += more))
    socket.once('close', () => resolve(text)).once('error', reject)
    socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`)
  })
}

async function withPage(): Promise<void> {
  const webDir = join(at.folder, `dist-${process.hrtime.bigint()}`)
  await mkdir(join(webDir, 'assets'), { recursive: true })
  await writeFile(join(webDir, 'index.html'), '<!doctype html><title>koco</title>')
  await writeFile(join(webDir, 'assets', 'main-DiwrgTda.js'), 'export {}')
  await writeFile(join(webDir, 'favicon.svg'), '<svg xmlns="http://www.w3.org/2000/svg"/>')
  await at.close()
  at = await openTestPanel({ webDir })
}

describe('the page', () => {
  test('is served at every address of its own, never from a cache that is out of date', async () => {
    await withPage()
    for (const path of ['/', '/runs', '/runs/0123', '/flows/hello?x=1']) {
      const answer = await fetch(at.url + path)
      expect(answer.status, path).toBe(200)
      expect(await answer.text()).toContain('<title>koco</title>')
      expect(answer.headers.get('cache-control')).toBe('no-cache')
    }
    const asset = await fetch(`${at.url}/assets/main-DiwrgTda.js`)
    expect(asset.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
    expect(asset.headers.get('content-type')).toContain('javascript')
    expect((await fetch(`${at.url}/favicon.svg`)).headers.get('cache-control')).toBe('no-cache')
    expect((await fetch(`${at.url}/assets/gone-12345678.js`)).status).toBe(404)
  })

  test('no path leaves its folder', async () => {
    await withPage()
    for (const path of [
      '/../admin-1.db',
      '/..%2fadmin-1.db',
      '/%2e%2e/admin-1.db',
      '/assets/..%2f..%2fadmin-1.db',
      '/..%5cadmin-1.db',
      '//etc/passwd',
      '/assets/%00.js',
    ]) {
      const answer = await raw(path)
      expect(answer, path).not.toContain('SQLite format')
      expect(answer, path).not.toContain('root:')
      expect(answer.startsWith('HTTP/1.1 200') && !answer.includes('<title>koco</title>'), path).toBe(false)
    }
  })

  test('without a build a page says how to make one', async () => {
    const answer = await fetch(at.url)
    expect(answer.status).toBe(503)
    expect(await answer.text()).toContain('npm run build -w @koco/web')
  })

  test('every answer carries a strict policy', async () => {
    await withPage()
    for (const path of ['/', '/api/runs', '/healthz', '/docs/']) {
      const { headers } = await fetch(at.url + path)
      const policy = headers.get('content-security-policy') ?? ''
      expect(policy, path).toContain("default-src 'self'")
      expect(policy, path).not.toMatch(/script-src[^;]*unsafe/)
      expect(headers.get('x-content-type-options'), path).toBe('nosniff')
      expect(headers.get('x-frame-options'), path).toBe('DENY')
    }
  })
})

describe('readiness', () => {
  test('is a real write of everything that runs need', async () => {
    expect(await call(`${at.url}/readyz`, 'GET', {})).toMatchObject({
      status: 200,
      body: { ready: true, checks: { store: 'ok', admin: 'ok', transport: 'ok' } },
    })
    await at.close()
    at = await openTestPanel({
      checkTransport: () => Promise.reject(new UnavailableError('redis://secret-host is away', { code: 'redis_away' })),
    })
    const answer = await call(`${at.url}/readyz`, 'GET', {})
    expect(answer).toMatchObject({ status: 503, body: { ready: false, checks: { transport: 'redis_away' } } })
    expect(JSON.stringify(answer.body)).not.toContain('secret-host')
  })

  test('metrics tell of requests and runs', async () => {
    await fetch(`${at.url}/healthz`)
    const text = await (await fetch(`${at.url}/metrics`)).text()
    expect(text).toMatch(/koco_http_request_seconds_count\{method="GET",route="\/healthz",status="200"\} 1/)
    expect(text).toContain('koco_runs{status="finished"}')
  })
})

describe('a shutdown', () => {
  test('lets a request that is under way finish and takes no new ones', async () => {
    const me = await at.user('user')
    const waiting = call(`${at.url}/api/runs`, 'POST', { ...me.headers, prefer: 'wait=60' }, { flow: 'ask' })
    await expect.poll(async () => (await at.store.runs.list({ user: me.name, limit: 1 })).items).toHaveLength(1)
    await at.panel.close(5_000)
    expect(await waiting).toMatchObject({ status: 201, body: { flow: 'ask' } })
    await expect(fetch(`${at.url}/healthz`)).rejects.toThrow('fetch failed')
  })
})

test('a port in use is one clear sentence', async () => {
  await expect(openSecond(Number(new URL(at.url).port))).rejects.toMatchObject({ code: 'port_in_use' })
})

async function openSecond(port: number): Promise<unknown> {
  const panel = await createPanel({
    store: at.store,
    admin: at.admin,
    launcher: at.launcher,
    schedules: at.schedules,
    hashSecret: (secret) => secret,
    signals: at.signals,
    leases: at.leases,
    catalog: { list: () => [] },
    uploadDir: join(at.folder, 'second-uploads'),
    checkpoints: at.checkpoints,
    contents: at.contents,
    fileContents: at.fileContents,
    workspaces: new Workspaces(join(at.folder, 'second-workspaces')),
    webDir: null,
    settings: {},
    checkTransport: async () => undefined,
    consumers: async () => [],
    clock: Date.now,
    log: pino({ level: 'silent' }),
    registry: new Registry(),
    version: '0',
  })
  try {
    return await panel.listen({ host: '127.0.0.1', port })
  } finally {
    await panel.close(100)
  }
}
