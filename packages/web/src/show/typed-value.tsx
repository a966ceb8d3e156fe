import { Alert } from '@mantine/core'
import type { Json, TypedValue } from '@koco/core'
import { JsonBlock, TextBlock } from './json.tsx'
import { Markdown } from './markdown.tsx'
import classes from './typed-value.module.css'

/** A value as its type wants to be shown. HTML of an agent runs in a frame without scripts, forms, or a way to this page. */
export function TypedValueView({ value, size = 'md' }: { readonly value: TypedValue; readonly size?: 'sm' | 'md' }) {
  if (value.type === 'json') return <JsonBlock value={value.value} />
  const text = textOf(value.value)
  if (value.type === 'markdown') return <Markdown text={text} size={size} />
  if (value.type === 'html') return <iframe className={classes['html']} sandbox="" srcDoc={framed(text)} title="HTML made by the agent" />
  if (value.type === 'error') return <Alert color="red">{text}</Alert>
  return <TextBlock text={text} />
}

function textOf(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value, null, 2)
}

function framed(html: string): string {
  const policy = `<meta http-equiv="content-security-policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">`
  return `<!doctype html>${policy}<style>body{font:14px system-ui;margin:12px;color:#222;background:#fff}</style>${html}`
}
