import { isValidElement, type ComponentProps, type ReactNode } from 'react'
import ReactMarkdown, { type Components } from 'react-markdown'
import rehypeSanitize, { defaultSchema } from 'rehype-sanitize'
import remarkGfm from 'remark-gfm'
import { plainText } from './ansi.ts'
import { Copy } from './copy.tsx'

const TEXT_MAX = 400_000

// Links only to where a browser can go safely; an agent's text is a stranger's text.
const SCHEMA = { ...defaultSchema, protocols: { ...defaultSchema.protocols, href: ['http', 'https', 'mailto'], src: ['data'] } }

const COMPONENTS: Components = {
  a: ({ node: _node, ...props }) => <a {...props} rel="noopener noreferrer nofollow" target="_blank" />,
  // An image address can carry data out of the house: show where it points instead of loading it.
  img: ({ node: _node, ...props }) => <BlockedImage {...props} />,
  pre: ({ node: _node, ...props }) => <CodeBlock {...props} />,
  table: ({ node: _node, ...props }) => (
    // A wide table scrolls by itself; it can be reached by keyboard for that.
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div data-scroll tabIndex={0} role="region" aria-label="Table">
      <table {...props} />
    </div>
  ),
}

/** The Markdown of an agent as elements: sanitised, links marked, images named but not fetched. Above 400,000 characters the rest is left out and said so. */
export function MarkdownRendered({ text }: { readonly text: string }) {
  const shown = text.length > TEXT_MAX ? `${text.slice(0, TEXT_MAX)}\n\n*… ${text.length - TEXT_MAX} more characters are in the raw value.*` : text
  return (
    <ReactMarkdown remarkPlugins={[remarkGfm]} rehypePlugins={[[rehypeSanitize, SCHEMA]]} components={COMPONENTS}>
      {shown.replaceAll(/[^\n]+/g, plainText)}
    </ReactMarkdown>
  )
}

/** Code scrolls by itself, which can be done by keyboard, and is copied whole. */
function CodeBlock({ children }: ComponentProps<'pre'>) {
  return (
    <div data-code>
      <div data-copy>
        <Copy value={textIn(children).replace(/\n$/, '')} what="code" />
      </div>
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <pre tabIndex={0}>{children}</pre>
    </div>
  )
}

function textIn(node: ReactNode): string {
  if (typeof node === 'string') return node
  if (Array.isArray(node)) return (node as readonly ReactNode[]).map(textIn).join('')
  return isValidElement<{ readonly children?: ReactNode }>(node) ? textIn(node.props.children) : ''
}

function BlockedImage({ src, alt }: ComponentProps<'img'>) {
  const address = typeof src === 'string' ? src : ''
  if (address.startsWith('data:image/')) return <img src={address} alt={alt ?? ''} />
  return (
    <span data-blocked-image title={address}>
      Image not loaded: {alt || address || 'no description'}
    </span>
  )
}
