import { micromark } from 'micromark'
import { gfm, gfmHtml } from 'micromark-extension-gfm'
import { escaped, inOrder } from './escaped.ts'

/** Above so many characters Markdown stays text: nobody reads it drawn on paper. */
const DRAWN_MAX = 400_000

/** How drawn Markdown looks on a page for paper. */
export const MARKDOWN_STYLE = `
.md{overflow-wrap:anywhere}.md>:first-child{margin-top:0}.md>:last-child{margin-bottom:0}.md h1,.md h2,.md h3{font-size:1.05rem;margin:1rem 0 .3rem;text-transform:none;letter-spacing:0;color:inherit}.md h1{font-size:1.2rem}
.md p,.md ul,.md ol{margin:.4rem 0}.md code{font:12px/1.45 ui-monospace,monospace}.md pre{padding:.5rem .7rem;border:1px solid #ddd;margin:.5rem 0}
.md blockquote{margin:.4rem 0;padding-left:.8rem;border-left:3px solid #ccc;color:#333}.md table{width:auto}.md td,.md td:nth-child(-n+3),.md th{border:1px solid #ccc;padding:.2rem .6rem;font-size:inherit;white-space:normal;color:inherit}`

/** The Markdown of an agent as HTML for a page without script: HTML in it stays text, links lead only where a browser goes safely, and an image becomes a link, so that nothing is fetched from elsewhere. */
export function markdownHtml(text: string): string {
  if (text.length > DRAWN_MAX) return `<pre>${escaped(text)}</pre>`
  const html = micromark(inOrder(text), {
    extensions: [gfm({ singleTilde: false }), { disable: { null: ['labelStartImage'] } }],
    htmlExtensions: [gfmHtml()],
  })
  return `<div class="md">${html}</div>`
}
