// Goal: a run can be taken away whole, with and without what looks like a secret, and on paper an agent's words are only words. Method: a run that says secrets and HTML, over HTTP.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { redact } from '../shapes/redact.ts'
import { closeTestParts, openTestPanel, type TestPanel } from '../testing/test-panel.ts'

let panel: TestPanel
let me: Awaited<ReturnType<TestPanel['user']>>
let fid: string
beforeAll(async () => {
  panel = await openTestPanel()
  me = await panel.user('user')
  const run = await panel.run(me.name)
  await run.begin()
  await run.emit([
    ['action', { name: 'call', value: { url: 'https://x.example', api_key: 'k-123', tokens: 5, note: 'ask ann@example.com with Bearer abcdefghijkl' } }],
    ['agent', { type: 'html', value: '<script>alert(1)</script>\u202E' }],
  ])
  await run.finish()
  fid = run.fid
})
afterAll(async () => {
  await panel.close()
  await closeTestParts()
})

const get = (path: string, headers: Readonly<Record<string, string>> = me.headers): Promise<Response> =>
  fetch(`${panel.url}/api/runs/${fid}/${path}`, { headers })

test('the export has the run and every event, in order', async () => {
  const answer = await get('export')
  expect(answer.headers.get('content-type')).toContain('application/x-ndjson')
  expect(answer.headers.get('content-disposition')).toContain(`by-hand-${fid}.jsonl`)
  const lines = (await answer.text())
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { run?: { fid: string }; event?: { seq: number } })
  expect(lines[0]?.run?.fid).toBe(fid)
  expect(lines.slice(1).map((line) => line.event?.seq)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9])
})

test('redacted, nothing that looks like a secret is left', async () => {
  const plain = await (await get('export')).text()
  const text = await (await get('export?redact=1')).text()
  for (const secret of ['k-123', 'ann@example.com', 'abcdefghijkl']) {
    expect(plain).toContain(secret)
    expect(text).not.toContain(secret)
  }
  expect(redact({ tokens: 5, token: 'x', a: ['sk-abcdefghijkl'] })).toEqual({ tokens: 5, token: '[redacted]', a: ['[redacted]'] })
})

test('the page for paper shows what an agent wrote as text', async () => {
  const answer = await get('report')
  const html = await answer.text()
  expect(answer.headers.get('content-type')).toContain('text/html')
  expect(html).toContain('&lt;script&gt;alert(1)&lt;/script&gt;')
  expect(html).not.toMatch(/<script|\u202E/)
  expect(html.trimEnd().endsWith('</html>')).toBe(true)
})

test('a stranger gets neither', async () => {
  const stranger = await panel.user('user')
  expect((await get('export', stranger.headers)).status).toBe(404)
  expect((await get('report', stranger.headers)).status).toBe(404)
})
