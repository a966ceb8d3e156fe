import type { RunFile } from '@koco/core/api'

/** How a file can be shown; null when it cannot. HTML and pictures of code are shown as what they are: text. */
export function previewKind({ type }: Pick<RunFile, 'type'>): 'markdown' | 'table' | 'image' | 'text' | null {
  if (type === 'text/markdown') return 'markdown'
  if (type === 'text/csv' || type === 'text/tab-separated-values') return 'table'
  if (type.startsWith('image/')) return 'image'
  return type.startsWith('text/') || /^application\/(json|jsonl|xml|yaml|sql)$/.test(type) ? 'text' : null
}
