import { describe } from 'vitest'
import { appendModel } from './append-model.ts'
import { appendContract, backPressureContract } from './append.ts'
import { consumeContract } from './consume.ts'
import { handoverContract } from './handover.ts'
import type { OpenTransport } from './harness.ts'
import { leasesContract } from './leases.ts'
import { livenessContract } from './liveness.ts'
import { producerContract } from './produce.ts'
import { signalsContract } from './signals.ts'

/** Everything that a transport promises, as tests; each adapter runs it whole. `modelRuns`: how many random histories the model of append is tried with. */
export function transportContract(name: string, open: OpenTransport, modelRuns: number): void {
  describe(`${name}: append`, () => appendContract(open))
  describe(`${name}: back-pressure`, () => backPressureContract(open))
  describe(`${name}: append against its model`, () => appendModel(open, modelRuns))
  describe(`${name}: consumers`, () => consumeContract(open))
  describe(`${name}: signals`, () => signalsContract(open))
  describe(`${name}: liveness`, () => livenessContract(open))
  describe(`${name}: counted leases`, () => leasesContract(open))
  describe(`${name}: handover`, () => handoverContract(open))
  describe(`${name}: producer`, () => producerContract(open))
}
