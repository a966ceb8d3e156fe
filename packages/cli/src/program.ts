import { Command } from 'commander'
import { createContext, type CommandContext } from './commands/context.ts'
import { asksForJson } from './output/exit.ts'
import type { Io } from './output/io.ts'
import { VERSION } from './version.ts'

type Make = (context: CommandContext) => Command

/** The commands in the order in which help lists them. Each is loaded when it is called: a worker or a spooler, which live long, do not hold the code of the panel. */
const COMMANDS: Readonly<Record<string, () => Promise<Make>>> = {
  init: async () => (await import('./commands/init.ts')).initCommand,
  start: async () => (await import('./commands/start.ts')).startCommand,
  run: async () => (await import('./commands/run.ts')).runCommand,
  runs: async () => (await import('./commands/runs.ts')).runsCommand,
  locks: async () => (await import('./commands/locks.ts')).locksCommand,
  schedules: async () => (await import('./commands/schedules.ts')).schedulesCommand,
  webhooks: async () => (await import('./commands/webhooks.ts')).webhooksCommand,
  checkpoints: async () => (await import('./commands/checkpoints.ts')).checkpointsCommand,
  serve: async () => (await import('./commands/start.ts')).serveCommand,
  spool: async () => (await import('./commands/spool.ts')).spoolCommand,
  'temporal-worker': async () => (await import('./commands/temporal-worker.ts')).temporalWorkerCommand,
  db: async () => (await import('./commands/db.ts')).dbCommand,
  prune: async () => (await import('./commands/prune.ts')).pruneCommand,
  rebuild: async () => (await import('./commands/rebuild.ts')).rebuildCommand,
  backup: async () => (await import('./commands/backup.ts')).backupCommand,
  restore: async () => (await import('./commands/backup.ts')).restoreCommand,
  move: async () => (await import('./commands/move.ts')).moveCommand,
  dead: async () => (await import('./commands/dead.ts')).deadCommand,
  users: async () => (await import('./commands/accounts.ts')).usersCommand,
  keys: async () => (await import('./commands/accounts.ts')).keysCommand,
  login: async () => (await import('./commands/profiles.ts')).loginCommand,
  logout: async () => (await import('./commands/profiles.ts')).logoutCommand,
  profiles: async () => (await import('./commands/profiles.ts')).profilesCommand,
  mcp: async () => (await import('./commands/mcp.ts')).mcpCommand,
  doctor: async () => (await import('./commands/doctor.ts')).doctorCommand,
  drill: async () => (await import('./commands/drill.ts')).drillCommand,
  completion: async () => (await import('./commands/completion.ts')).completionCommand,
}

/** The command line of koco, as far as `argv` needs it: the command that it begins with, else all of them. `exit` takes the exit code of a command that did its work but has bad news. */
export async function createProgram(argv: readonly string[], io: Io, exit: (code: number) => void): Promise<Command> {
  const context = createContext(io, { exit, wholeProgram: () => createProgram([], io, exit) })
  const program = new Command('koco').description('AI agents as durable runs: every event kept exactly once, watched live.').version(VERSION)
  const [name = ''] = argv
  const all = Object.entries(COMMANDS)
  const named = all.filter(([one]) => one === name)
  const wanted = named.length === 0 ? all : named
  for (const make of await Promise.all(wanted.map(([, load]) => load()))) program.addCommand(make(context))
  // In JSON a mistake is told once, as an object, by whoever runs the program.
  const writeErr = (text: string): void => (asksForJson(argv) ? undefined : io.err(text.trimEnd()))
  forEach(program, (command) => {
    command.exitOverride().configureOutput({ writeOut: (text) => io.out(text.trimEnd()), writeErr })
    command.showHelpAfterError('(see --help)')
  })
  return program
}

function forEach(command: Command, visit: (command: Command) => void): void {
  visit(command)
  for (const child of command.commands) forEach(child, visit)
}
