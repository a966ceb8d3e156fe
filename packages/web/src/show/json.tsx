import { useMemo, useState } from 'react'
import { Box, Button, Code } from '@mantine/core'
import type { Json } from '@koco/core'
import { Copy } from './copy.tsx'
import { bytes } from './format.ts'
import classes from './json.module.css'

const SHOWN_CHARS = 20_000

/** A block of text as it is, with a copy button; long ones are cut until asked for whole. */
export function TextBlock({ text, what = 'text' }: { readonly text: string; readonly what?: string }) {
  const [whole, setWhole] = useState(false)
  const cut = !whole && text.length > SHOWN_CHARS
  return (
    <Box className={classes['frame']}>
      <Box className={classes['copy']}>
        <Copy value={text} what={what} />
      </Box>
      {/* Scrollable, so it can be reached by keyboard. */}
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <Code block className={classes['block']} tabIndex={0}>
        {cut ? text.slice(0, SHOWN_CHARS) : text}
      </Code>
      {cut && (
        <Button variant="subtle" size="compact-xs" onClick={() => setWhole(true)}>
          Show all {bytes(text.length)}
        </Button>
      )}
    </Box>
  )
}

/** A JSON value, indented. A plain text is shown as text, without quotes and escapes. */
export function JsonBlock({ value, what = 'JSON' }: { readonly value: Json; readonly what?: string }) {
  const text = useMemo(() => (typeof value === 'string' ? value : JSON.stringify(value, null, 2)), [value])
  return <TextBlock text={text} what={what} />
}
