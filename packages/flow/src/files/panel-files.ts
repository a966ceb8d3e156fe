import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { RefusedError, UnavailableError } from '@koco/core'
import { sidedPath, type FileSide } from './path.ts'
import type { FileContent, FileStore, RunFile } from './port.ts'

/** Where the panel is, and the key that signs this worker in. */
export type PanelFilesOptions = {
  readonly url: string
  readonly key: string
  /** Tries of a request that can be made again; default 5. */
  readonly triesMax?: number
  /** Before the second try, in ms, then twice as long each time; default 200. */
  readonly delayMs?: number
}

type WireFile = { readonly path: string; readonly size: number; readonly type: string; readonly modified_at: number }

/** The files of runs over a panel's HTTP API, for a worker that shares no folder with it. */
export function createPanelFiles({ url, key, triesMax = 5, delayMs = 200 }: PanelFilesOptions): FileStore {
  const base = url.replace(/\/$/, '')
  const send: Send = async (path, init = {}) => {
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/octet-stream' }
    const response = await fetch(base + path, { ...init, headers }).catch((error: unknown) => {
      init.signal?.throwIfAborted()
      throw new UnavailableError(`No panel answers at ${base}, where the files of runs are. Is \`koco serve\` running, and KODO_APP_SERVER right?`, {
        code: 'no_panel',
        cause: error,
      })
    })
    if (!response.ok) throw await problemOf(response)
    return response
  }
  const again = <T>(work: () => Promise<T>): Promise<T> => repeat(work, triesMax, delayMs)
  return {
    list: (fid, side) => again(() => listAll(send, fid, side)),
    open: (fid, path) =>
      again(async () => {
        const response = await send(address(fid, path))
        const size = Number(response.headers.get('content-length'))
        const file = { path: sidedPath(path).path, size, type: response.headers.get('x-file-type') ?? '', modifiedAt: modified(response) }
        return { file, content: response.body ? Readable.fromWeb(response.body) : Readable.from([]) }
      }),
    write: async (fid, path, content, signal) => {
      const to = address(fid, path)
      const put = async (body: unknown): Promise<RunFile> =>
        fileOf((await (await send(to, { method: 'PUT', body, duplex: 'half', ...(signal && { signal }) } as RequestInit)).json()) as WireFile)
      if (typeof content === 'string' || content instanceof Uint8Array) return again(() => put(content))
      return putStream(content, put)
    },
  }
}

type Send = (path: string, init?: RequestInit) => Promise<Response>

async function listAll(send: Send, fid: string, side: FileSide | undefined): Promise<RunFile[]> {
  const files: RunFile[] = []
  let after = ''
  do {
    const response = await send(`/api/runs/${fid}/files${side === undefined ? '' : `/${side}`}?limit=1000${after}`)
    const page = (await response.json()) as { readonly items: readonly WireFile[]; readonly next: string | null }
    files.push(...page.items.map(fileOf))
    after = page.next === null ? '' : `&after=${encodeURIComponent(page.next)}`
  } while (after !== '')
  return files
}

/** A stream can be read once only, so it is sent once. When it breaks, its own error tells why. */
async function putStream(content: Exclude<FileContent, string | Uint8Array>, put: (body: unknown) => Promise<RunFile>): Promise<RunFile> {
  const broken: unknown[] = []
  async function* bytes(): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of content) yield typeof chunk === 'string' ? Buffer.from(chunk) : chunk
    } catch (error) {
      broken.push(error)
      throw error
    }
  }
  try {
    return await put(Readable.toWeb(Readable.from(bytes())))
  } catch (error) {
    throw broken[0] ?? error
  }
}

/** The address of a file; a path that is none is refused here already. */
function address(fid: string, path: string): string {
  return `/api/runs/${fid}/files/${sidedPath(path).path.split('/').map(encodeURIComponent).join('/')}`
}

function fileOf({ path, size, type, modified_at: modifiedAt }: WireFile): RunFile {
  return { path, size, type, modifiedAt }
}

function modified(response: Response): number {
  const at = Date.parse(response.headers.get('last-modified') ?? '')
  return Number.isNaN(at) ? 0 : at / 1000
}

async function problemOf(response: Response): Promise<Error> {
  const text = await response.text()
  let problem: { readonly detail?: string; readonly code?: string } = {}
  try {
    problem = JSON.parse(text) as typeof problem
  } catch {
    // Somebody else's answer, a proxy's say: the status speaks for it.
  }
  const message = problem.detail ?? `The panel answered ${response.status} for a file.`
  const code = problem.code ?? `http_${response.status}`
  return response.status >= 500 || response.status === 429 ? new UnavailableError(message, { code }) : new RefusedError(message, { code })
}

async function repeat<T>(work: () => Promise<T>, tries: number, delayMs: number): Promise<T> {
  for (let made = 1; ; made += 1) {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof UnavailableError) || made >= tries) throw error
      await sleep(delayMs * 2 ** (made - 1))
    }
  }
}
