import { memo } from 'react'
import { ansiSpans, plainText } from '../show/ansi.ts'
import classes from './log-line.module.css'

/** A line of terminal output in its colours; nothing else of its escapes gets through. */
export const LogLine = memo(function LogLine({ text }: { readonly text: string }) {
  if (!text.includes('\u001b')) return plainText(text) + (text.endsWith('\n') ? '\n' : '')
  return (
    <>
      {ansiSpans(text).map((span, index) => (
        // Spans of a text that does not change.
        // oxlint-disable-next-line react/no-array-index-key
        <span
          key={index}
          className={classes['span']}
          data-color={span.color ?? undefined}
          data-ground={span.background ?? undefined}
          data-bold={span.bold || undefined}
          data-dim={span.dim || undefined}
          data-underline={span.underline || undefined}
        >
          {span.text}
        </span>
      ))}
      {text.endsWith('\n') ? '\n' : ''}
    </>
  )
})
