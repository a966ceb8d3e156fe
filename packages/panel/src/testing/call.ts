/** An answer of the API with its body as JSON (null for none). */
export type Answer = { readonly status: number; readonly headers: Headers; readonly body: Record<string, unknown> }

/** Calls the API; an object body goes out as JSON, a text as it is. */
export async function call(url: string, method: string, headers: Readonly<Record<string, string>>, body?: object | string): Promise<Answer> {
  const answer = await fetch(url, {
    method,
    headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  const text = await answer.text()
  return { status: answer.status, headers: answer.headers, body: (text === '' ? {} : JSON.parse(text)) as Record<string, unknown> }
}
