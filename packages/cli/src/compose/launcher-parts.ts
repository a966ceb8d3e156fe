import type { Catalog, Contents, FileContents } from '@koco/flow'
import type { ExecutionStore } from '@koco/storage'
import type { Transport } from '@koco/transport'
import type { Logger } from 'pino'

/** What launchers and workers are made of. */
export type LauncherParts = {
  readonly catalog: Catalog
  readonly store: ExecutionStore
  readonly transport: Transport
  readonly contents?: Contents
  readonly fileContents?: FileContents
  readonly log: Logger
}
