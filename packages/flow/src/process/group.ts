import { readdirSync, readFileSync } from 'node:fs'

/** What the processes of a group use now: resident bytes, and processor seconds, those of ended children included. */
export type GroupUse = { readonly processes: number; readonly memoryBytes: number; readonly cpuS: number }

const PAGE_BYTES = 4_096
const TICKS_PER_S = 100

/** What the group that `leader` leads uses: every process of its session, wherever its parent is. */
export function useOfGroup(leader: number): GroupUse {
  let processes = 0
  let pages = 0
  let ticks = 0
  for (const pid of pids()) {
    const stat = statOf(pid)
    if (stat?.session !== leader && stat?.group !== leader) continue
    processes += 1
    pages += stat.pages
    ticks += stat.ticks
  }
  return { processes, memoryBytes: pages * PAGE_BYTES, cpuS: ticks / TICKS_PER_S }
}

/** Sends a signal to a group; nothing when it is gone. */
export function signalGroup(leader: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-leader, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** Kills every process whose environment has this setting, but for those that have the other one too: also those that left their group. */
export function killMarked(mark: string, spared?: string): void {
  for (const pid of pids()) {
    const environment = pid === process.pid ? [] : environmentOf(pid).split('\0')
    if (!environment.includes(mark) || (spared !== undefined && environment.includes(spared))) continue
    try {
      process.kill(pid, 'SIGKILL')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
    }
  }
}

function pids(): number[] {
  return readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? [Number(name)] : []))
}

function statOf(pid: number): { readonly group: number; readonly session: number; readonly ticks: number; readonly pages: number } | undefined {
  const text = readProc(`/proc/${pid}/stat`)
  // The name may hold anything, also ")": the fields begin after the last one.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  if (fields.length < 22) return undefined
  const [group, session] = [Number(fields[2]), Number(fields[3])]
  const ticks = [11, 12, 13, 14].reduce((sum, at) => sum + Number(fields[at]), 0)
  return { group, session, ticks, pages: Number(fields[21]) }
}

function environmentOf(pid: number): string {
  return readProc(`/proc/${pid}/environ`)
}

/** What the kernel tells; nothing when the process has gone meanwhile, or is another user's. */
function readProc(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
