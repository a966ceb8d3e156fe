import { useWindowEvent } from '@mantine/hooks'

/** Ctrl or ⌘ with Enter confirms: it sends the form in which one stands, or does what the open dialog asks about (its button marked `data-confirm`). */
export function useConfirmKey(): void {
  useWindowEvent('keydown', (event) => {
    if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey) || event.defaultPrevented) return
    const from = document.activeElement
    const form = from?.closest('form')
    const button = (from?.closest('[role="dialog"]') ?? document.querySelector('[role="dialog"]'))?.querySelector<HTMLButtonElement>(
      'button[data-confirm]:not(:disabled)',
    )
    if (!form && !button) return
    event.preventDefault()
    if (form) form.requestSubmit()
    else button?.click()
  })
}
