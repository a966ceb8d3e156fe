import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { ROOT } from '../run/command.ts'
import type { TextFile } from './files.ts'

/** Links of Markdown pages that lead nowhere: a file that is not there, or a heading that its page does not have. Web addresses are not visited. */
export function brokenLinks(pages: readonly TextFile[]): string[] {
  return pages.flatMap(({ path, text }) => linksOf(text).flatMap((link) => (resolves(path, text, link) ? [] : [`${path}: ${link}`])))
}

/** The anchors that GitHub gives to a page's headings. */
export function anchorsOf(text: string): Set<string> {
  const seen = new Map<string, number>()
  const headings = withoutCode(text).matchAll(/^#{1,6} +(.+?) *#*$/gm)
  const anchors = Array.from(headings, ([, heading = '']) => {
    const slug = heading
      .replaceAll(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\p{M}_ -]/gu, '')
      .replaceAll(' ', '-')
    const before = seen.get(slug) ?? 0
    seen.set(slug, before + 1)
    return before === 0 ? slug : `${slug}-${before}`
  })
  return new Set(anchors)
}

function linksOf(text: string): string[] {
  const links = withoutCode(text)
    .replaceAll(/`[^`\n]*`/g, '')
    .matchAll(/\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)|^\[[^\]]+\]:\s*(\S+)/gm)
  return Array.from(links, ([, inline, reference]) => inline ?? reference ?? '')
}

function withoutCode(text: string): string {
  return text.replaceAll(/^( *)(```+|~~~+)[^]*?^\1\2\s*$/gm, '')
}

function resolves(page: string, text: string, link: string): boolean {
  if (/^[a-z][a-z0-9+.-]*:/i.test(link)) return true
  const [path = '', anchor] = link.split('#')
  const target = path === '' ? join(ROOT, page) : join(ROOT, path.startsWith('/') ? '' : dirname(page), decodeURI(path))
  if (relative(ROOT, target).startsWith('..') || (path !== '' && !existsSync(target))) return false
  if (anchor === undefined || anchor === '' || !(path === '' || path.endsWith('.md'))) return true
  return anchorsOf(path === '' ? text : readFileSync(target, 'utf8')).has(decodeURI(anchor))
}
