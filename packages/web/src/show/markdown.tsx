import { lazy, Suspense } from 'react'
import { Skeleton, Stack, Typography } from '@mantine/core'
import classes from './markdown.module.css'

const Rendered = lazy(() => import('./markdown-rendered.tsx').then((module) => ({ default: module.MarkdownRendered })))

/** Markdown as a document; raw HTML in it is shown as text, remote images are not loaded. The renderer is fetched when first needed. */
export function Markdown({ text, size = 'md' }: { readonly text: string; readonly size?: 'sm' | 'md' }) {
  if (isPlain(text)) return <p className={classes['plain']}>{text}</p>
  return (
    <Suspense fallback={size === 'sm' ? text : <TextSkeleton />}>
      <Typography className={classes['document']} data-size={size}>
        <Rendered text={text} />
      </Typography>
    </Suspense>
  )
}

/** True for a sentence or two without any mark-up: they need no renderer. */
function isPlain(text: string): boolean {
  return text.length < 1_000 && !/[*_`#<>[\]|~\\&\n]|^\s|^\d+[.)]|^[-+] |:\/\/|www\.|@/.test(text)
}

function TextSkeleton() {
  return (
    <Stack gap={8} aria-hidden>
      <Skeleton h={12} w="70%" />
      <Skeleton h={12} w="90%" />
      <Skeleton h={12} w="55%" />
    </Stack>
  )
}
