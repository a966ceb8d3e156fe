import type { Io } from './io.ts'

/** A terminal for tests: remembers what was printed; `stop` plays Ctrl-C. */
export type FakeIo = Io & { readonly printed: string[]; readonly complaints: string[]; interrupt(): void }

/** A fake terminal in `cwd`; no colours, nothing on standard input but `stdin`. */
export function fakeIo(cwd: string, env: Readonly<Record<string, string>> = {}, stdin = ''): FakeIo {
  const stop = new AbortController()
  const printed: string[] = []
  const complaints: string[] = []
  return {
    env,
    cwd,
    terminal: false,
    colours: false,
    printed,
    complaints,
    out: (text) => void printed.push(text),
    err: (text) => void complaints.push(text),
    readStdin: async () => stdin,
    stop: stop.signal,
    interrupt: () => stop.abort(),
  }
}
