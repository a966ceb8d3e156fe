// Goal: each operation on checkpoints does what it promises, whatever stores stand below. Method: sessions with real folders; every row of the list of operations against a session of its own.
import { afterAll, beforeAll, describe } from 'vitest'
import { describeArchives } from './archives.ts'
import { describeBranches } from './branches.ts'
import { openFixture, type Fixture, type Stores } from './fixture.ts'
import { describeKeeping } from './keeping.ts'
import { describeRestoring } from './restoring.ts'
import { describeUpkeep } from './upkeep.ts'

/** The suite that a manager passes over every pair of stores. */
export function describeManager(name: string, open: () => Promise<Stores>): void {
  describe(name, () => {
    let opened: Fixture | undefined
    const fixture = (): Fixture => {
      if (!opened) throw new Error('the fixture is not open')
      return opened
    }
    beforeAll(async () => {
      opened = await openFixture(open)
    })
    afterAll(async () => await opened?.dispose())
    describe('keeping', () => describeKeeping(fixture))
    describe('restoring', () => describeRestoring(fixture))
    describe('branches', () => describeBranches(fixture))
    describe('archives', () => describeArchives(fixture))
    describe('upkeep', () => describeUpkeep(fixture))
  })
}
