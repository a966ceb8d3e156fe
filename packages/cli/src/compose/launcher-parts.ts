import type { Catalog, Contents } from '@koco/flow'
import type { ExecutionStore } from '@koco/storage'
import type { Transport } from '@koco/transport'
import type { Logger } from 'pino'

/** What launchers and workers are made of. */
export type LauncherParts = {
  readonly catalog: Catalog
  readonly store: ExecutionStore
  readonly transport: Transport
  readonly contents?: Contents
  readonly log: Logger
}
