import { setTimeout as delay } from 'node:timers/promises'
import { KocoError } from '@koco/core'
import type { Drill } from './drill.ts'
import { judgeRun, type CheckerCounts, type Verdict } from './verdict.ts'
import type { World } from './world.ts'

/** How a drill went. `ok`: it went as it should, and the checker found nothing. */
export type DrillReport = { readonly drill: string; readonly ok: boolean; readonly seconds: number; readonly checker: CheckerCounts; readonly note: string }

const NONE: CheckerCounts = { acknowledged: 0, stored: 0, duplicates: 0, holes: 0 }
const STORED_MS = 30_000
const LOOK_MS = 50

/** Makes one drill and lets the checker judge its run. A drill that fails does not throw: it says why. */
export async function makeDrill(drill: Drill, world: World): Promise<DrillReport> {
  const startedAt = performance.now()
  const report = (ok: boolean, checker: CheckerCounts, note: string): DrillReport => ({
    drill: drill.name,
    ok,
    seconds: Math.round((performance.now() - startedAt) / 100) / 10,
    checker,
    note,
  })
  try {
    const { fid, note } = await drill.run(world)
    const { checker, faults } = await verdict(world, fid)
    return report(faults.length === 0 && checker.acknowledged > 0, checker, faults.length === 0 ? `${note} (run ${fid})` : `run ${fid}: ${faults.join('; ')}`)
  } catch (error) {
    return report(false, NONE, error instanceof KocoError ? error.message : String(error))
  } finally {
    await world.clear()
  }
}

async function verdict(world: World, fid: string): Promise<Verdict> {
  // The end is stored; what a fenced try wrote before may follow. What does not come is missing, and the checker says so.
  for (const deadline = performance.now() + STORED_MS; !(await world.isStored(fid)) && performance.now() < deadline;) await delay(LOOK_MS)
  return await judgeRun(world.store.reader, fid, world.acknowledged(fid))
}
