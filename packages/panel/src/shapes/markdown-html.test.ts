// Goal: Markdown of a stranger is drawn on paper, and can do nothing there but be read.
import { expect, test } from 'vitest'
import { markdownHtml } from './markdown-html.ts'

test('headings, lists, tables and code are drawn', () => {
  const html = markdownHtml('# Title\n\n- one\n- **two**\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```ts\nconst x = 1 < 2\n```\n')
  for (const part of ['<h1>Title</h1>', '<strong>two</strong>', '<td>1</td>', 'const x = 1 &lt; 2']) expect(html).toContain(part)
})

test('HTML stays text, scripts are no links, and nothing is fetched from elsewhere', () => {
  const html = markdownHtml(
    '<script>alert(1)</script> <b onclick="x">b</b>\n\n[go](javascript:alert(1)) [on](https://example.com)\n\n![pixel](https://example.com/p.png)\n\n\u202Eabc',
  )
  expect(html).not.toMatch(/<script|<b |<img|javascript:|\u202E/)
  expect(html).toContain('&lt;script&gt;')
  expect(html).toContain('<a href="https://example.com">on</a>')
  expect(html).toContain('<a href="https://example.com/p.png">pixel</a>')
})

test('what nobody would read drawn stays text', () => {
  expect(markdownHtml('# x\n'.repeat(120_000))).toMatch(/^<pre># x/)
})
