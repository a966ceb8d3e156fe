import { request } from 'node:http'

const TUS = { 'tus-resumable': '1.0.0' }

/** What a tus request was answered: the offset and the id where the answer says them, the problem where it is one. */
export type TusAnswer = {
  readonly status: number
  readonly headers: Headers
  readonly offset: number | null
  readonly id: string
  readonly problem: { readonly code?: string; readonly detail?: string }
}

/** A person who uploads by the protocol, piece by piece as a test likes. */
export function tusClient(url: string, headers: Readonly<Record<string, string>>) {
  const send = async (method: string, path: string, more: Readonly<Record<string, string>>, body?: string | Uint8Array): Promise<TusAnswer> => {
    const init = { method, headers: { ...TUS, ...headers, ...more } }
    const answer = await fetch(url + path, body === undefined ? init : { ...init, body: body as string })
    const text = await answer.text()
    const offset = answer.headers.get('upload-offset')
    return {
      status: answer.status,
      headers: answer.headers,
      offset: offset === null ? null : Number(offset),
      id: answer.headers.get('location')?.split('/').at(-1) ?? '',
      problem: answer.headers.get('content-type')?.startsWith('application/problem+json') && text !== '' ? (JSON.parse(text) as TusAnswer['problem']) : {},
    }
  }
  const octets = { 'content-type': 'application/offset+octet-stream' }
  const metadata = (fields: Readonly<Record<string, string>>): string =>
    Object.entries(fields)
      .map(([key, value]) => `${key} ${Buffer.from(value).toString('base64')}`)
      .join(',')
  return {
    begin: (length: number, fields: Readonly<Record<string, string>>, more: Readonly<Record<string, string>> = {}) =>
      send('POST', '/api/uploads', { 'upload-length': String(length), 'upload-metadata': metadata(fields), ...more }),
    head: (id: string) => send('HEAD', `/api/uploads/${id}`, {}),
    patch: (id: string, offset: number, body: string | Uint8Array) => send('PATCH', `/api/uploads/${id}`, { ...octets, 'upload-offset': String(offset) }, body),
    remove: (id: string) => send('DELETE', `/api/uploads/${id}`, {}),
    /** Uploads a text at once; gives the id. */
    async upload(name: string, text: string): Promise<string> {
      const begun = await send(
        'POST',
        '/api/uploads',
        { ...octets, 'upload-length': String(Buffer.byteLength(text)), 'upload-metadata': metadata({ filename: name }) },
        text,
      )
      if (begun.status !== 201) throw new Error(`the upload was answered ${begun.status}: ${begun.problem.detail ?? ''}`)
      return begun.id
    },
    /** Announces all of `length` bytes, sends some, and cuts the connection once `arrived` says so. */
    cut: (id: string, length: number, sent: Uint8Array, arrived: () => Promise<void>) =>
      new Promise<void>((resolve, reject) => {
        const asked = request(`${url}/api/uploads/${id}`, {
          method: 'PATCH',
          headers: { ...TUS, ...headers, ...octets, 'upload-offset': '0', 'content-length': String(length) },
        })
        asked.on('error', () => undefined)
        asked.once('close', () => resolve())
        asked.write(sent)
        arrived().then(() => asked.destroy(), reject)
      }),
  }
}
