import { tellOnFailure } from '@koco/testing'
import { chromium, type Browser, type BrowserContextOptions, type Locator, type Page } from 'playwright-core'

/** A headless Chromium; ends with `await using`. */
export async function openBrowser(executablePath: string): Promise<Browser> {
  return chromium.launch({
    executablePath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
}

/** Waits until a person sees it, once or more often: the same word may stand in a hidden list, or in two places while the page changes. */
export async function seen(what: Locator, options: { readonly timeout?: number } = {}): Promise<void> {
  await what.filter({ visible: true }).first().waitFor(options)
}

const TEXT_TOLD = 3000

/** A page signed in (as the admin when nobody else is named), standing where sign-in leads; collects what went wrong in it. `look` is what Playwright calls a context's options. */
export async function signIn(
  browser: Browser,
  address: string,
  password: string,
  { login = 'admin', ...look }: BrowserContextOptions & { readonly login?: string } = {},
): Promise<{ readonly page: Page; readonly errors: readonly string[] }> {
  const context = await browser.newContext(look)
  const page = await context.newPage()
  const errors: string[] = []
  page.on('pageerror', (error) => errors.push(error.message))
  page.once(
    'close',
    tellOnFailure(async () => `The page ${page.url()} showed:\n${(await page.locator('body').innerText({ timeout: 2000 })).slice(0, TEXT_TOLD)}`),
  )
  await page.goto(address)
  await page.getByLabel('Name or email').fill(login)
  await page.getByRole('textbox', { name: 'Password' }).fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.waitForURL(/\/flows/)
  return { page, errors }
}
