import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'

/** Asks whoever sits at the terminal of this process; `hidden`: what is typed is not shown. Null when standard input is no terminal. */
export async function askAtTerminal(question: string, { hidden }: { readonly hidden: boolean }): Promise<string | null> {
  if (!process.stdin.isTTY) return null
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input: process.stdin, output: hidden ? nowhere : process.stderr, terminal: true })
  // While a line is typed, the terminal hands Ctrl-C over as a key.
  lines.once('SIGINT', () => process.exit(130))
  try {
    if (hidden) process.stderr.write(question)
    return await lines.question(hidden ? '' : question)
  } finally {
    lines.close()
    if (hidden) process.stderr.write('\n')
  }
}
