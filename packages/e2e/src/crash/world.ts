import type { EventRecord } from '@koco/core'
import type { ApiClient } from '../processes/api-client.ts'
import type { Dice } from './dice.ts'
import type { Evidence } from './evidence.ts'
import type { Subject } from './subject.ts'

/** A running installation that nemeses strike. */
export type World = {
  readonly panel: Subject
  readonly client: ApiClient
  /** What its processes printed and what readiness said. */
  readonly evidence: Evidence
  /** The folder in which flows write down what was acknowledged. */
  readonly witness: string
  /** Every row of a run, past the panel where there is a way. */
  stored(fid: string): Promise<readonly EventRecord[]>
  close(): Promise<void>
}

/**
 * A fault of one kind. `strike` brings it about, holds it and ends it: afterwards everything that can be repaired from outside is whole, and the system has to recover by itself.
 * `trace`: what a person finds of it in the logs, in `/readyz` or in the timelines. One fault may hide another that strikes with it. `forgets`: what is gone for good with it; the promise covers the loss of one of them at a time.
 */
export type Nemesis<W extends World = World> = {
  readonly kind: string
  /** What it strikes. Two of one victim never strike together: one would end or hide the other. */
  readonly victim: 'spoolers' | 'panel' | 'workers' | 'links' | 'redis' | 'postgres' | 'temporal' | 'disk'
  readonly trace: RegExp
  readonly forgets?: 'stream' | 'writer'
  strike(world: W, dice: Dice): Promise<void>
}
