import { askAtTerminal } from './ask.ts'

/** The outside world of a command: what it may read and print. One object, so that a test can be the terminal. */
export type Io = {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  /** Standard output is a terminal. */
  readonly terminal: boolean
  /** Colours are wanted: a terminal, and NO_COLOR is not set. */
  readonly colours: boolean
  out(text: string): void
  err(text: string): void
  /** All of standard input as text. */
  readStdin(): Promise<string>
  /** Asks whoever sits at the terminal; `hidden`: what is typed is not shown. Null when standard input is no terminal. */
  ask(question: string, how: { readonly hidden: boolean }): Promise<string | null>
  /** Aborted by SIGINT or SIGTERM. A second one ends the process at once. */
  readonly stop: AbortSignal
}

/** The real terminal. Listens for SIGINT, SIGTERM, and the end of the process that started us under a newer Node. */
export function processIo(): Io {
  const stop = new AbortController()
  const onSignal = () => {
    if (stop.signal.aborted) process.exit(130)
    stop.abort()
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal)
  process.once('disconnect', onSignal)
  process.channel?.unref()
  // A reader that goes away (`| head`) is no fault of ours.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))
  const terminal = process.stdout.isTTY
  return {
    env: process.env,
    cwd: process.cwd(),
    terminal,
    colours: terminal && !process.env['NO_COLOR'],
    out: (text) => void process.stdout.write(`${text}\n`),
    err: (text) => void process.stderr.write(`${text}\n`),
    async readStdin() {
      let text = ''
      for await (const chunk of process.stdin) text += String(chunk)
      return text
    },
    ask: askAtTerminal,
    stop: stop.signal,
  }
}
