import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { RefusedError } from '@koco/core'
import type { SpoolerStatus } from '@koco/spooler'
import { dataFolder } from '../settings/addresses.ts'
import type { Settings } from '../settings/schema.ts'

/** A living spooler reports this often; one that has not for STALE_MS is gone and its name free. */
const REPORT_MS = 1000
const STALE_MS = 10_000
const SLOTS_MAX = 1000

/** What a spooler process of this data folder last said of itself. `rate`: events a second of late. Times in unix ms. */
export type SpoolerSlot = {
  readonly name: string
  readonly pid: number
  readonly state: SpoolerReport['state'] | 'starting'
  readonly streams: number
  readonly events: number
  readonly rate: number
  readonly delayedBy: string | null
  readonly seenAt: number
}

/** What a spooler says of itself: `waiting`, before it runs, for the database or Redis. */
export type SpoolerReport = Pick<SpoolerStatus, 'streams' | 'events' | 'delayedBy'> & { readonly state: SpoolerStatus['state'] | 'waiting' }

/** A name held by this process. */
export type HeldSlot = {
  readonly name: string
  /** The process that had the name before and ended without giving it back: it was killed or crashed. Null when the name was free. */
  readonly leftBy: number | null
  /** Reports from now on what `status` says, and no more what was given before. */
  report(status: () => SpoolerReport): void
  leave(): void
}

/** Where the spoolers of an installation say that they live; made when it is missing. */
export function slotFolder(settings: Settings, cwd: string): string {
  const folder = join(dataFolder(settings, cwd), 'spoolers')
  mkdirSync(folder, { recursive: true })
  return folder
}

/** The spoolers that live now. */
export function listSlots(folder: string): SpoolerSlot[] {
  const files = readdirSync(folder).filter((name) => name.endsWith('.json'))
  return files.map((file) => readSlot(join(folder, file))).filter((slot) => slot !== undefined && isLive(slot)) as SpoolerSlot[]
}

/**
 * Takes a name that stays the same over restarts, so that a consumer group does not grow: the one asked for, else `<host>-<n>` with the first free number. RefusedError when it
 * is held by a living process.
 */
export function claimSlot(folder: string, asked: string | undefined): HeldSlot {
  const host = hostname()
    .replaceAll(/[^A-Za-z0-9.-]/g, '-')
    .slice(0, 50)
  for (let n = 1; n <= SLOTS_MAX; n++) {
    const name = asked ?? `${host}-${n}`
    const taken = takeFile(join(folder, `${name}.json`), name)
    if (taken) return holdSlot(folder, name, taken.leftBy)
    if (asked !== undefined)
      throw new RefusedError(`A spooler named ${asked} runs already: give this one another --spooler-name.`, { code: 'spooler_name_taken' })
  }
  throw new RefusedError(`All ${SLOTS_MAX} names of spoolers in ${folder} are taken.`, { code: 'spooler_name_taken' })
}

function holdSlot(folder: string, name: string, leftBy: number | null): HeldSlot {
  const file = join(folder, `${name}.json`)
  let timer: NodeJS.Timeout | undefined
  return {
    name,
    leftBy,
    report(status) {
      clearInterval(timer)
      let before = { events: 0, at: performance.now() }
      const write = () => {
        const { state, streams, events, delayedBy } = status()
        const at = performance.now()
        const rate = at > before.at ? ((events - before.events) * 1000) / (at - before.at) : 0
        before = { events, at }
        writeSlot(file, { name, pid: process.pid, state, streams, events, rate, delayedBy, seenAt: Date.now() })
      }
      write()
      timer = setInterval(write, REPORT_MS).unref()
    },
    leave() {
      clearInterval(timer)
      rmSync(file, { force: true })
    },
  }
}

/** Takes a name's file, undefined when a living process has it; one left by a dead process is taken over. */
function takeFile(file: string, name: string): { readonly leftBy: number | null } | undefined {
  const slot: SpoolerSlot = { name, pid: process.pid, state: 'starting', streams: 0, events: 0, rate: 0, delayedBy: null, seenAt: Date.now() }
  try {
    writeFileSync(file, JSON.stringify(slot), { flag: 'wx' })
    return { leftBy: null }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    const found = readSlot(file)
    if (found && isLive(found)) return undefined
    // Two that come at once: the later rename wins, and the earlier sees another's process in the file.
    writeSlot(file, slot)
    return readSlot(file)?.pid === process.pid ? { leftBy: found?.pid ?? 0 } : undefined
  }
}

function writeSlot(file: string, slot: SpoolerSlot): void {
  const fresh = `${file}.${process.pid}`
  writeFileSync(fresh, JSON.stringify(slot))
  renameSync(fresh, file)
}

function readSlot(file: string): SpoolerSlot | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as SpoolerSlot
  } catch {
    return undefined
  }
}

function isLive(slot: SpoolerSlot): boolean {
  if (Date.now() - slot.seenAt > STALE_MS) return false
  try {
    process.kill(slot.pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
