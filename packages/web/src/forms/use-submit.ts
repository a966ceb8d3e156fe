import { useEffect, useRef, useState, type FocusEvent, type SubmitEvent } from 'react'
import type { Entering } from '../files/entering.ts'
import { hasChecker, loadChecker, needsChecker } from './validator.ts'

type Held = { readonly waits: boolean; readonly error: unknown }

const FREE: Held = { waits: false, error: null }

/**
 * Keeps a form from being sent before what checks it is there and every file of it is among its data; then sends it. What checks forms is fetched as soon as it is needed: at once
 * for a form with branches (`ready` says when it can be drawn), else when a person turns to the form. `held` says that the form waits, or what keeps it from being sent.
 */
export function useSubmit(
  schema: unknown,
  entering: Entering,
): {
  readonly ready: boolean
  readonly held: Held
  readonly onFocusCapture: (event: FocusEvent) => void
  readonly onSubmitCapture: (event: SubmitEvent<HTMLElement>) => void
} {
  const needed = needsChecker(schema)
  const [ready, setReady] = useState(() => !needed || hasChecker())
  const [held, setHeld] = useState(FREE)
  const waiting = useRef(false)
  useEffect(() => {
    if (needed) void loadChecker().then(() => setReady(true))
  }, [needed])
  return {
    ready,
    held,
    onFocusCapture: () => void loadChecker(),
    onSubmitCapture(event) {
      if (hasChecker() && !entering.any) return setHeld(FREE)
      event.preventDefault()
      event.stopPropagation()
      const form = event.target
      if (waiting.current || !(form instanceof HTMLFormElement)) return
      waiting.current = true
      setHeld({ waits: true, error: null })
      const send = async () => {
        const error = await Promise.all([loadChecker(), entering.over()]).then(
          () => null,
          (reason: unknown) => reason,
        )
        waiting.current = false
        setHeld({ waits: false, error })
        if (error === null) form.requestSubmit()
      }
      void send()
    },
  }
}
