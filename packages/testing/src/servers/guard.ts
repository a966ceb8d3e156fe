import { spawn } from 'node:child_process'
import { once } from 'node:events'

// Reads process ids from a pipe, the last one counts (an empty line: none). The pipe ends when our process is gone, however it died: then the
// server's whole group is killed and its folder removed. A shell, because it starts in a millisecond and is everywhere that the servers are.
const SCRIPT = 'pid=; while read -r line; do pid="$line"; done; [ -n "$pid" ] && kill -9 -"$pid" 2>/dev/null; rm -rf "$1"'

/** Sees to it that a server and its folder do not outlive this process, also when it is killed with -9. */
export type Guard = {
  /** The process (a group leader) to kill at the end; undefined for none. */
  watch(pid: number | undefined): void
  /** Kills what is watched, removes the folder, resolves when both are done. */
  end(): Promise<void>
}

/** Starts the guard of one folder. */
export function startGuard(folder: string): Guard {
  const shell = spawn('sh', ['-c', SCRIPT, 'guard', folder], { stdio: ['pipe', 'ignore', 'ignore'], detached: true })
  const exited = once(shell, 'exit')
  shell.unref()
  return {
    watch: (pid) => shell.stdin.write(`${pid ?? ''}\n`),
    end: async () => {
      shell.ref()
      shell.stdin.end()
      await exited
    },
  }
}
