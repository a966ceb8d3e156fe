import { notifyDone, notifyFailure } from '../app/notify.ts'

/** Copies a text and says so. */
export function copyText(text: string): void {
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text)
      notifyDone('Copied.')
    } catch (error) {
      notifyFailure('Could not copy: the browser allows it only on https and localhost', error)
    }
  }
  void copy()
}
