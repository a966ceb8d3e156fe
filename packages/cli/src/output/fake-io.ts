import type { Io } from './io.ts'

/** A terminal for tests: remembers what was printed and asked; `interrupt` plays Ctrl-C. `answers`: what a person types, one after the other; null: nobody is there. */
export type FakeIo = Io & { readonly printed: string[]; readonly complaints: string[]; readonly asked: string[]; answers: string[] | null; interrupt(): void }

/** A fake terminal in `cwd`; no colours, nothing on standard input but `stdin`. */
export function fakeIo(cwd: string, env: Readonly<Record<string, string>> = {}, stdin = ''): FakeIo {
  const stop = new AbortController()
  const printed: string[] = []
  const complaints: string[] = []
  const asked: string[] = []
  return {
    env,
    cwd,
    terminal: false,
    colours: false,
    printed,
    complaints,
    asked,
    answers: null,
    out: (text) => void printed.push(text),
    err: (text) => void complaints.push(text),
    readStdin: async () => stdin,
    async ask(question, { hidden }) {
      if (this.answers === null) return null
      asked.push(hidden ? `${question}(hidden)` : question)
      return this.answers.shift() ?? ''
    },
    stop: stop.signal,
    interrupt: () => stop.abort(),
  }
}
