import { CommanderError } from 'commander'
import { errorText, EXIT, exitCodeOf } from './output/exit.ts'
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

/** Runs one command line; gives its exit code. Everything that goes wrong ends here, as a sentence on `io.err`. */
export async function runCommand(argv: readonly string[], io: Io): Promise<number> {
  let code: number = EXIT.done
  const program = await createProgram(argv, io, (set) => (code = set))
  try {
    await program.parseAsync(argv, { from: 'user' })
    return code
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage
    io.err(errorText(error))
    return exitCodeOf(error)
  }
}
