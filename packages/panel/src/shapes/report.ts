import { isJsonObject, type Json } from '@koco/core'
import { escaped } from './escaped.ts'
import { MARKDOWN_STYLE, markdownHtml } from './markdown-html.ts'

type Shown = { readonly position: string; readonly ts: number; readonly kind: string; readonly step: string | null; readonly data: Json }

const STYLE = `body{font:14px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#111;background:#fff}
h1{font-size:1.5rem;margin:0}h2{font-size:1.1rem;margin:2rem 0 .5rem}dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem}dt{color:#555}dd{margin:0}
pre{white-space:pre-wrap;overflow-wrap:anywhere;margin:0;font:12px/1.45 ui-monospace,monospace}table{border-collapse:collapse;width:100%}td,th{vertical-align:top;text-align:left;padding:.3rem .6rem .3rem 0;border-top:1px solid #ddd}
td:nth-child(-n+3){white-space:nowrap;font-size:12px;color:#333}tr{break-inside:avoid}@page{margin:15mm}
@media screen and (max-width:40rem){thead{display:none}tr{display:block;border-top:1px solid #ddd;padding:.4rem 0}td{display:inline-block;border:0;padding:0 .6rem .2rem 0}td:last-child{display:block}}`

/** The beginning of a page about a run that is made for paper: plain, without script; Markdown of the agent's is drawn, all else of it is text. */
export function reportHead(run: { readonly [name: string]: unknown }): string {
  const text = (name: string): string => {
    const value = run[name]
    return typeof value === 'string' || typeof value === 'number' ? String(value) : ''
  }
  const facts: readonly (readonly [string, string])[] = [
    ['Run', text('fid')],
    ['Status', text('status')],
    ['By', text('user')],
    ['Created', moment(Number(run['created_at']))],
    ['Ended', run['finished_at'] === null ? '' : moment(Number(run['finished_at']))],
    ['Runtime', run['runtime_s'] === null ? '' : `${text('runtime_s')} s`],
    ['Tries', text('attempt')],
    ['Events', text('events')],
  ]
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escaped(text('flow'))} ${escaped(text('about'))}</title><style>${STYLE}${MARKDOWN_STYLE}</style></head>
<body><h1>${escaped(text('flow'))} ${escaped(text('about'))}</h1><p>${escaped(text('summary'))}</p>
<dl>${facts.map(([name, value]) => (value === '' ? '' : `<dt>${name}</dt><dd>${escaped(value)}</dd>`)).join('')}</dl>
${section('Inputs', run['inputs'] as Json)}${section('Result', run['final'] as Json)}${section('Error', run['error'] as Json)}
<h2>Timeline</h2><table><thead><tr><th>Time</th><th>Kind</th><th>Step</th><th>What</th></tr></thead><tbody>
`
}

/** A row of the timeline. */
export function reportRow({ ts, kind, step, data }: Shown): string {
  return `<tr><td>${moment(ts)}</td><td>${escaped(kind)}</td><td>${escaped(step ?? '')}</td><td>${body(data)}</td></tr>\n`
}

/** The end of the page; `left`: events were left out because there are too many for paper. */
export function reportEnd(left: boolean): string {
  return `</tbody></table>${left ? '<p>Later events are left out here; the export as JSON lines has all.</p>' : ''}</body></html>\n`
}

function section(title: string, value: Json | undefined): string {
  return value === null || value === undefined ? '' : `<h2>${title}</h2>${body(value)}`
}

/** Markdown as its author meant it, everything else as text. */
function body(value: Json): string {
  if (isJsonObject(value) && value['type'] === 'markdown' && typeof value['value'] === 'string') return markdownHtml(value['value'])
  return `<pre>${escaped(bodyText(value))}</pre>`
}

/** Texts as they are, everything else as JSON. */
function bodyText(value: Json): string {
  if (typeof value === 'string') return value
  if (isJsonObject(value) && typeof value['value'] === 'string' && typeof value['type'] === 'string') return value['value']
  return JSON.stringify(value, null, 1)
}

/** A time of unix seconds, for people. */
export function moment(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('T', ' ').slice(0, 23)
}
