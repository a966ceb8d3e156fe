// Goal: the temporal launcher keeps the contract of launchers, runs that start runs included. Method: the contract suites over a real Temporal server, Redis and each of the stores.
import { describeChildren, describeLauncher } from '@koco/flow/contract'
import { createDatabase, ofThisWorker } from '@koco/testing'
import { inject } from 'vitest'
import { openTemporalUnderTest } from './testing/open-launcher.ts'

const servers = () => ({ temporal: ofThisWorker(inject('temporalAddresses')), redis: inject('redisUrl') })

describeLauncher(
  'temporal, Redis, SQLite',
  openTemporalUnderTest(async () => servers()),
)
describeLauncher(
  'temporal, Redis, Postgres',
  openTemporalUnderTest(async () => ({ ...servers(), database: (await createDatabase(inject('postgresUrl'))).url })),
)
describeChildren(
  'temporal, Redis, SQLite',
  openTemporalUnderTest(async () => servers()),
)
