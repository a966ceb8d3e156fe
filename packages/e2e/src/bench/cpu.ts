import { readdir, readFile } from 'node:fs/promises'

/** Ticks a second of the times in /proc, on every Linux that Node runs on. */
const TICKS = 100

/** CPU seconds that a server has used since its start, in its own process and in those that it started. */
export async function serverCpuSeconds(pid: number): Promise<number> {
  const all = await Promise.all((await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(readTimes))
  let ticks = 0
  for (const times of all) {
    if (times?.pid === pid) ticks += times.own + times.ended
    if (times?.parent === pid) ticks += times.own
  }
  return ticks / TICKS
}

/** CPU seconds of this process. */
export function ownCpuSeconds(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

type Times = { readonly pid: number; readonly parent: number; readonly own: number; readonly ended: number }

async function readTimes(pid: string): Promise<Times | undefined> {
  // One that ended meanwhile has told its times to its parent.
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined)
  if (stat === undefined) return undefined
  // The second field is a name in brackets that may hold anything.
  const fields = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number)
  const [own, ended] = [(fields[11] ?? 0) + (fields[12] ?? 0), (fields[13] ?? 0) + (fields[14] ?? 0)]
  return { pid: Number(pid), parent: fields[1] ?? 0, own, ended }
}
