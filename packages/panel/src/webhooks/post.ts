import { request as plainRequest, type IncomingMessage } from 'node:http'
import { request as secureRequest } from 'node:https'
import { isIP } from 'node:net'
import { hostOf, isPublic, PrivateAddressError, publicLookup } from './address.ts'

/** How one sending went. `status` null: no answer. `problem` null: it arrived. */
export type Posted = { readonly status: number | null; readonly problem: string | null; readonly retryAfterS: number | null }

/** `timeoutMs`: for all of it, from the look-up of the name to the end of the answer. */
export type PostOptions = { readonly isPrivateAllowed: boolean; readonly timeoutMs: number; readonly signal: AbortSignal }

const ANSWER_BYTES_MAX = 64 * 1024

/** Sends a body once and never throws. Redirects are not followed; of the answer only the status counts, and no more than 64 KiB of it are taken. */
export async function post(url: URL, headers: Readonly<Record<string, string>>, body: string, options: PostOptions): Promise<Posted> {
  const host = hostOf(url)
  // A name is checked when it is looked up; an address is not looked up.
  if (!options.isPrivateAllowed && isIP(host) !== 0 && !isPublic(host)) return lost(new PrivateAddressError(host).message)
  try {
    const answer = await send(url, headers, body, options)
    return judge(answer)
  } catch (error) {
    return lost(words(error, options))
  }
}

function send(
  url: URL,
  headers: Readonly<Record<string, string>>,
  body: string,
  { isPrivateAllowed, timeoutMs, signal }: PostOptions,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = url.protocol === 'https:' ? secureRequest : plainRequest
    const ends = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])
    // A connection of its own: one kept open may lead to where the name pointed before.
    const sent = request(url, { method: 'POST', headers, agent: false, signal: ends, ...(!isPrivateAllowed && { lookup: publicLookup }) }, (answer) => {
      let bytes = 0
      answer.on('data', (chunk: Buffer) => {
        bytes += chunk.length
        if (bytes > ANSWER_BYTES_MAX) answer.destroy()
      })
      // However the answer ends, its status has been said.
      answer.once('error', () => resolve(answer)).once('close', () => resolve(answer))
    })
    sent.once('error', reject).end(body)
  })
}

function judge({ statusCode: status = 0, headers }: IncomingMessage): Posted {
  if (status >= 200 && status < 300) return { status, problem: null, retryAfterS: null }
  const isRedirect = status >= 300 && status < 400
  const wait = Number(headers['retry-after'] ?? Number.NaN)
  const problem = isRedirect ? `It answered ${status}: redirects are not followed, give the address where it leads.` : `It answered ${status}.`
  return { status, problem, retryAfterS: Number.isFinite(wait) && wait > 0 ? wait : null }
}

function lost(problem: string): Posted {
  return { status: null, problem, retryAfterS: null }
}

function words(error: unknown, { timeoutMs, signal }: PostOptions): string {
  if (signal.aborted) return 'The panel was stopped while it was sent.'
  const { name, code, message } = error as NodeJS.ErrnoException
  if (name === 'AbortError' || name === 'TimeoutError') return `It did not answer within ${timeoutMs / 1000} s.`
  return code === undefined ? `${message}.` : `It could not be reached (${code}).`
}
