import type { Json } from '@koco/core'
import { textOfContent, type ChatMessage, type Conversation } from '@koco/storage'
import { escaped } from '../shapes/escaped.ts'
import { MARKDOWN_STYLE, markdownHtml } from '../shapes/markdown-html.ts'
import { moment } from '../shapes/report.ts'

const STYLE = `body{font:15px/1.55 system-ui,sans-serif;max-width:48rem;margin:2rem auto;padding:0 1rem;color:#111;background:#fff}h1{font-size:1.4rem}p.about{color:#555}
article{border-top:1px solid #ddd;padding:.8rem 0;break-inside:avoid}h2{font-size:.8rem;margin:0 0 .3rem;color:#555;text-transform:uppercase;letter-spacing:.04em}
pre{white-space:pre-wrap;overflow-wrap:anywhere;margin:0;font:inherit}pre.data{font:12px/1.45 ui-monospace,monospace;color:#333}details{margin:.4rem 0}@page{margin:15mm}`

/** A conversation as a page for people: without script; what the agent said in Markdown is drawn, what people said stands as they wrote it. */
export function sessionPage({ session, messages }: Conversation): string {
  const title = escaped(session.title)
  const about = [`${messages.length} messages`, session.model ?? '', moment(session.createdAt)].filter(Boolean).map(escaped).join(' · ')
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title}</title><style>${STYLE}${MARKDOWN_STYLE}</style></head>
<body><h1>${title}</h1><p class="about">${about}</p>
${messages.map(article).join('\n')}
</body></html>
`
}

function article(message: ChatMessage): string {
  const { role, content } = message
  const text = textOfContent(content)
  const parts = [
    details('Reasoning', message['reasoning']),
    role === 'assistant' ? markdownHtml(text) : `<pre>${escaped(text)}</pre>`,
    text === '' && content !== '' && content !== null ? data(content) : '',
    details('Tool calls', message['tool_calls']),
    message['interrupted'] === true ? '<p class="about">Interrupted.</p>' : '',
  ]
  return `<article><h2>${escaped(role)}</h2>${parts.join('')}</article>`
}

function details(name: string, value: Json | undefined): string {
  if (value === undefined || value === null || value === '') return ''
  return `<details><summary>${name}</summary>${data(value)}</details>`
}

function data(value: Json): string {
  return `<pre class="data">${escaped(typeof value === 'string' ? value : JSON.stringify(value, null, 1))}</pre>`
}
