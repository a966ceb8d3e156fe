import { useEffect, useRef, useState, type FocusEvent, type SubmitEvent } from 'react'
import { hasChecker, loadChecker, needsChecker } from './validator.ts'

/**
 * Fetches what checks forms as soon as it is needed: at once for a form with branches (`ready` says when it can be drawn), else when a person turns to the form. Sending a form
 * before it is there waits for it.
 */
export function useChecker(schema: unknown): {
  readonly ready: boolean
  readonly onFocusCapture: (event: FocusEvent) => void
  readonly onSubmitCapture: (event: SubmitEvent<HTMLElement>) => void
} {
  const needed = needsChecker(schema)
  const [ready, setReady] = useState(() => !needed || hasChecker())
  const waiting = useRef(false)
  useEffect(() => {
    if (needed) void loadChecker().then(() => setReady(true))
  }, [needed])
  return {
    ready,
    onFocusCapture: () => void loadChecker(),
    onSubmitCapture(event) {
      if (hasChecker()) return
      event.preventDefault()
      event.stopPropagation()
      const form = event.target
      if (waiting.current || !(form instanceof HTMLFormElement)) return
      waiting.current = true
      const send = async () => {
        await loadChecker()
        waiting.current = false
        form.requestSubmit()
      }
      void send()
    },
  }
}
