/** A browser without a page: it keeps cookies of each host, follows redirects and sends forms. */
export class Browser {
  readonly #cookies = new Map<string, Map<string, string>>()

  /** Goes to an address and on, until something answers that is no redirect. */
  async go(address: string, init: RequestInit = {}): Promise<{ readonly url: string; readonly status: number; readonly body: string }> {
    let at = new URL(address)
    let request = init
    for (let hops = 0; hops < 20; hops++) {
      const answer = await this.once(at.href, request)
      const location = answer.headers.get('location')
      if (location === null) return { url: at.href, status: answer.status, body: await answer.text() }
      await answer.body?.cancel()
      at = new URL(location, at)
      request = {}
    }
    throw new Error(`redirected without end, at last to ${at.href}`)
  }

  /** One request, without following. */
  async once(address: string, init: RequestInit = {}): Promise<Response> {
    const { host } = new URL(address)
    const jar = this.#cookies.get(host) ?? new Map<string, string>()
    this.#cookies.set(host, jar)
    const headers = new Headers({ accept: 'text/html,*/*;q=0.8', ...(init.headers as Record<string, string>) })
    if (jar.size > 0) headers.set('cookie', [...jar].map(([name, value]) => `${name}=${value}`).join('; '))
    const answer = await fetch(address, { ...init, headers, redirect: 'manual' })
    for (const line of answer.headers.getSetCookie()) {
      const [pair = ''] = line.split(';')
      const name = pair.slice(0, pair.indexOf('='))
      if (/max-age=0|expires=thu, 01 jan 1970/i.test(line)) jar.delete(name)
      else jar.set(name, pair.slice(name.length + 1))
    }
    return answer
  }

  /** Sends the form of a page with these fields filled in, and goes on. */
  async submit(page: { readonly url: string; readonly body: string }, fields: Readonly<Record<string, string>>): ReturnType<Browser['go']> {
    const action = /<form[^>]* action="([^"]+)"/.exec(page.body)?.[1]
    if (action === undefined) throw new Error(`${page.url} has no form:\n${page.body.slice(0, 500)}`)
    const hidden = [...page.body.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)].map(([, name = '', value = '']) => [name, value])
    return this.go(new URL(action, page.url).href, { method: 'POST', body: new URLSearchParams({ ...Object.fromEntries(hidden), ...fields }) })
  }

  /** The cookies for a host, as it would be sent them. */
  cookie(address: string): string {
    return [...(this.#cookies.get(new URL(address).host) ?? [])].map(([name, value]) => `${name}=${value}`).join('; ')
  }
}
