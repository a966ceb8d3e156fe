import { afterAll, beforeAll, describe } from 'vitest'
import type { ExecutionStore } from '../port/execution-store.ts'
import { describeBudgets } from './budgets.ts'
import { describeCheckpoints } from './checkpoints.ts'
import { describeContents } from './contents.ts'
import { describeDelivery } from './delivery.ts'
import { describeHousekeeping } from './housekeeping.ts'
import { describeKeeping, describeRefolding } from './keeping.ts'
import { describeInsights } from './insights.ts'
import { describeLocks } from './locks.ts'
import { describeReading } from './reading.ts'
import { describeRuns } from './runs.ts'
import type { OpenFixture, StoreFixture } from './scenario.ts'
import { describeSchedules } from './schedules.ts'
import { describeSessionDamage } from './session-damage.ts'
import { describeSessionLists } from './session-lists.ts'
import { describeSessionModel } from './session-model.ts'
import { describeSessionTurns } from './session-turns.ts'
import { describeSessions } from './sessions.ts'
import { describeWebhooks } from './webhooks.ts'
import { describeWriting } from './writing.ts'

/** The suite that every execution store passes: the rules of `port/` as tests. */
export function describeExecutionStore(name: string, open: OpenFixture): void {
  describe(name, () => {
    let fixture: StoreFixture | undefined
    const store = (): ExecutionStore => {
      if (!fixture) throw new Error('the store is not open')
      return fixture.store
    }
    beforeAll(async () => {
      fixture = await open()
    })
    afterAll(async () => await fixture?.dispose())

    describe('writing', () => describeWriting(store))
    describe('delivery', () => describeDelivery(store))
    describe('reading', () => describeReading(store))
    describe('runs', () => describeRuns(store))
    describe('locks', () => describeLocks(store))
    describe('insights', () => describeInsights(store))
    describe('budgets', () => describeBudgets(store))
    describe('schedules', () => describeSchedules(store))
    describe('checkpoints', () => describeCheckpoints(store))
    describe('contents', () => describeContents(store))
    describe('webhooks', () => describeWebhooks(store))
    describe('sessions', () => {
      describeSessions(store)
      describeSessionTurns(store)
      describeSessionLists(store)
      describeSessionDamage(open)
      describeSessionModel(open)
    })
    describe('keeping house', () => describeKeeping(store))
    describe('folding anew', () => describeRefolding(store))
    describe('housekeeping', () => describeHousekeeping(store, open))
  })
}
