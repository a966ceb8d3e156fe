import { Command } from 'commander'
import { keysCommand, usersCommand } from './commands/accounts.ts'
import { backupCommand, restoreCommand } from './commands/backup.ts'
import { checkpointsCommand } from './commands/checkpoints.ts'
import { createContext } from './commands/context.ts'
import { dbCommand } from './commands/db.ts'
import { deadCommand } from './commands/dead.ts'
import { doctorCommand } from './commands/doctor.ts'
import { drillCommand } from './commands/drill.ts'
import { initCommand } from './commands/init.ts'
import { locksCommand } from './commands/locks.ts'
import { moveCommand } from './commands/move.ts'
import { pruneCommand } from './commands/prune.ts'
import { rebuildCommand } from './commands/rebuild.ts'
import { runCommand } from './commands/run.ts'
import { runsCommand } from './commands/runs.ts'
import { schedulesCommand } from './commands/schedules.ts'
import { spoolCommand } from './commands/spool.ts'
import { serveCommand, startCommand } from './commands/start.ts'
import { temporalWorkerCommand } from './commands/temporal-worker.ts'
import type { Io } from './output/io.ts'
import { VERSION } from './version.ts'

/** The command line of koco; `exit` takes the exit code of a command that did its work but has bad news. */
export function createProgram(io: Io, exit: (code: number) => void): Command {
  const context = createContext(io, exit)
  const program = new Command('koco').description('AI agents as durable runs: every event kept exactly once, watched live.').version(VERSION)
  for (const make of [
    initCommand,
    startCommand,
    runCommand,
    runsCommand,
    locksCommand,
    schedulesCommand,
    checkpointsCommand,
    serveCommand,
    spoolCommand,
    temporalWorkerCommand,
    dbCommand,
    pruneCommand,
    rebuildCommand,
    backupCommand,
    restoreCommand,
    moveCommand,
    deadCommand,
    usersCommand,
    keysCommand,
    doctorCommand,
    drillCommand,
  ]) {
    program.addCommand(make(context))
  }
  forEach(program, (command) => {
    command.exitOverride().configureOutput({ writeOut: (text) => io.out(text.trimEnd()), writeErr: (text) => io.err(text.trimEnd()) })
    command.showHelpAfterError('(see --help)')
  })
  return program
}

function forEach(command: Command, visit: (command: Command) => void): void {
  visit(command)
  for (const child of command.commands) forEach(child, visit)
}
