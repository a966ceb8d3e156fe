import { CommanderError } from 'commander'
import { asksForJson, errorJson, errorText, EXIT, exitCodeOf, usageError } from './output/exit.ts'
import { processIo, type Io } from './output/io.ts'
import { createProgram } from './program.ts'

/** The command line of this process: runs it and ends the process with its exit code. */
export async function main(): Promise<void> {
  const code = await runCommand(process.argv.slice(2), processIo())
  // What is still open (a watcher, a socket that lingers) must not keep a finished command alive; output to pipes is flushed first.
  process.exitCode = code
  await Promise.all([process.stdout, process.stderr].map((stream) => new Promise((done) => stream.write('', done))))
  process.exit(code)
}

/** Runs one command line; gives its exit code. Everything that goes wrong ends here, on `io.err`: as a sentence, or with `-o json` as one JSON object in its last line. */
export async function runCommand(argv: readonly string[], io: Io): Promise<number> {
  let code: number = EXIT.done
  const isJson = asksForJson(argv)
  const program = await createProgram(argv, io, (set) => (code = set))
  try {
    await program.parseAsync(argv, { from: 'user' })
    return code
  } catch (error) {
    if (error instanceof CommanderError && (error.exitCode === 0 || !isJson)) return error.exitCode === 0 ? EXIT.done : EXIT.usage
    const told = error instanceof CommanderError ? usageError(mistakeOf(error)) : error
    io.err(isJson ? errorJson(told) : errorText(told))
    return exitCodeOf(told)
  }
}

function mistakeOf({ code, message }: CommanderError): string {
  return code === 'commander.help' ? 'A command is missing: see --help.' : message.replace(/^error: /, '')
}
