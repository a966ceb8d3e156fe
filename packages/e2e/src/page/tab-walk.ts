import type { Page } from 'playwright-core'

/** In the page: numbers everything that Tab should reach; of a group of radios only the chosen one, or all while none is. */
const NUMBER = `(() => {
  const seen = (one) => one.checkVisibility({ visibilityProperty: true }) && one.getClientRects().length > 0 && !one.closest('[inert]')
  const radios = (one) => [...document.querySelectorAll('input[type=radio]')].filter((other) => other.name === one.name && other.form === one.form)
  const stops = [...document.querySelectorAll('a[href], button, input, select, textarea, [tabindex]')]
    .filter((one) => one.tabIndex >= 0 && !one.disabled && seen(one))
    .filter((one) => one.type !== 'radio' || one.checked || (!radios(one).some((other) => other.checked) && radios(one)[0] === one))
  // Rows of a list come and go while it scrolls, and arrows lead from one to the next: to have reached one is to have reached them.
  const rows = stops.filter((one) => one.matches('[data-row]'))
  stops.forEach((one, index) => one.setAttribute('data-stop', String(rows.includes(one) ? stops.indexOf(rows[0]) : index)))
  return stops.map((one) => (rows.includes(one) && one !== rows[0] ? null : one.outerHTML.slice(0, 160)))
})()`

/** In the page: which numbered thing has the focus, and whether it, or what it stands in, shows that. */
const FOCUSED = `(() => {
  const one = document.activeElement
  if (!one || one === document.body) return { stop: null, shown: true }
  const marked = (it) => {
    const style = getComputedStyle(it)
    return (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== 'none'
  }
  const field = /^(?:INPUT|SELECT|TEXTAREA)$/.test(one.tagName)
  const around = [one, one.parentElement, one.parentElement?.parentElement, one.parentElement?.parentElement?.parentElement]
  return { stop: one.getAttribute('data-stop'), shown: field || around.some((it) => it && marked(it)) || (one.nextElementSibling && marked(one.nextElementSibling)) }
})()`

type Focus = { readonly stop: string | null; readonly shown: boolean }

/** Presses Tab from the top of a page to its end; gives what that cannot reach, and what it reaches without showing it. */
export async function walk(page: Page): Promise<string[]> {
  const stops = await page.evaluate<(string | null)[]>(NUMBER)
  const reached = new Set<number>()
  const unseen = new Set<number>()
  await page.evaluate('document.activeElement?.blur()')
  const wanted = stops.filter((html) => html !== null).length
  for (let presses = 0; presses < stops.length * 2 + 20 && reached.size < wanted; presses += 1) {
    await page.keyboard.press('Tab')
    const { stop, shown } = await page.evaluate<Focus>(FOCUSED)
    if (stop === null) continue
    reached.add(Number(stop))
    if (!shown) unseen.add(Number(stop))
  }
  return [
    ...stops.flatMap((html, index) => (html === null || reached.has(index) ? [] : `not reached: ${html}`)),
    ...[...unseen].map((index) => `reached unseen: ${stops[index] ?? ''}`),
  ]
}
