import type { Locator, Page } from 'playwright-core'

/** How long each frame took, in milliseconds. */
export type Frames = { readonly ms: readonly number[] }

/** Watches the frames of a page for so long. */
export async function frameTimes(page: Page, forMs: number): Promise<Frames> {
  return { ms: await page.evaluate<number[]>(`(${watch})(${forMs}, () => undefined)`) }
}

/** Scrolls a list from its top to its end and watches the frames. */
export async function scrollThrough(page: Page, selector: string, forMs: number): Promise<Frames> {
  const step = `(() => {
    const box = document.querySelector(${JSON.stringify(selector)})
    box.dispatchEvent(new WheelEvent('wheel', { bubbles: true }))
    box.scrollTop = 0
    return (passed) => { box.scrollTop = (box.scrollHeight - box.clientHeight) * Math.min(1, passed / ${forMs}) }
  })()`
  return { ms: await page.evaluate<number[]>(`(${watch})(${forMs}, ${step})`) }
}

/** Types a text and gives, for each key, the time until the frame in which it was drawn. */
export async function typingDelays(page: Page, field: Locator, text: string): Promise<number[]> {
  await field.focus()
  await page.evaluate(`window.typed = []; document.activeElement.addEventListener('keydown', (event) => {
    const at = event.timeStamp
    requestAnimationFrame(() => setTimeout(() => window.typed.push(performance.now() - at)))
  })`)
  await field.pressSequentially(text, { delay: 60 })
  await page.waitForTimeout(200)
  return page.evaluate<number[]>('window.typed')
}

/** In the page: calls `each` in every frame for so long; gives the times between the frames. */
const watch = `(forMs, each) => new Promise((resolve) => {
  const times = []
  let begin
  let last
  const frame = (now) => {
    begin ??= now
    if (last !== undefined) times.push(now - last)
    last = now
    if (now - begin > forMs) return resolve(times)
    each(now - begin)
    requestAnimationFrame(frame)
  }
  requestAnimationFrame(frame)
})`
