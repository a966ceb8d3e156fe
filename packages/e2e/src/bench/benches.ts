import { coldStart } from './cold-start.ts'
import { checkpoints, millionContents } from './checkpoints.ts'
import { catchUp, liveTail } from './live.ts'
import type { Figure } from './figure.ts'
import { memory } from './memory.ts'
import { pageLive, pageLoad, pageLongRun, pageRunList } from './page.ts'
import { recovery } from './recovery.ts'
import { runsDistributed, runsEmbedded } from './runs.ts'
import { scaleTo10Million } from './scale.ts'
import { spoolShared, spoolToPostgres, spoolToSqlite } from './spool.ts'
import { sockets } from './sockets.ts'
import { startUp } from './start-up.ts'
import { recoveryTemporal } from './temporal-recovery.ts'
import { runsTemporal } from './temporal-runs.ts'
import { waitingTemporal } from './temporal-waiting.ts'

/** A named measurement; each starts the servers and processes that it needs and ends them. */
export type Bench = {
  readonly name: string
  readonly about: string
  /** It takes long and much disk, so it runs only when it is named. */
  readonly onlyNamed?: true
  run(): Promise<Figure[]>
}

/** All benches, in the order in which they run. */
export const benches: readonly Bench[] = [
  {
    name: 'spool-postgres-20',
    about: 'Redis → Postgres, 100,000 events over 20 streams, against COPY and against one row a commit',
    run: () => spoolToPostgres(20),
  },
  { name: 'spool-postgres-2000', about: 'Redis → Postgres, 100,000 events over 2,000 streams, against COPY', run: () => spoolToPostgres(2000) },
  { name: 'spool-shared', about: 'Redis → Postgres, 5,000 open streams shared by one, two and four spoolers', run: spoolShared },
  { name: 'spool-sqlite', about: 'Redis → SQLite, 100,000 events over 20 streams, against a bare prepared loop into one file', run: spoolToSqlite },
  {
    name: 'scale-10m',
    about: '10 million events in Postgres by the writer: inserting, listing, reading (12 GB of disk)',
    onlyNamed: true,
    run: scaleTo10Million,
  },
  { name: 'live-embedded', about: 'append to visible in a live tail at 1,000 events/s, embedded', run: () => liveTail('embedded') },
  { name: 'live-distributed', about: 'append to visible in a live tail at 1,000 events/s, over Redis and Postgres', run: () => liveTail('distributed') },
  { name: 'catch-up', about: '10,000 missed events, embedded', run: catchUp },
  { name: 'runs-embedded', about: 'a run of three trivial steps through the HTTP API, embedded', run: runsEmbedded },
  { name: 'runs-distributed', about: 'the same over Redis and Postgres', run: runsDistributed },
  { name: 'recovery', about: 'kill -9 of the embedded process, restart, next step', run: recovery },
  {
    name: 'runs-temporal',
    about: 'a run of three steps on a development server of Temporal, against bare workflows with one and with three no-op activities',
    run: () => runsTemporal('development'),
  },
  { name: 'runs-temporal-postgres', about: 'the same on a Temporal server on Postgres, as installations have it', run: () => runsTemporal('postgres') },
  { name: 'recovery-temporal', about: 'kill -9 and SIGTERM of a worker, next step on another', run: recoveryTemporal },
  { name: 'waiting-temporal', about: '1,000 runs that wait for people on one worker', run: waitingTemporal },
  { name: 'memory', about: 'spooler with 2,000 open streams, panel with 200 live readers', run: memory },
  { name: 'page-load', about: 'what a browser fetches for the first page', run: pageLoad },
  { name: 'page-long-run', about: 'a run of 100,000 events in Chromium: opened, scrolled through, searched', run: pageLongRun },
  { name: 'page-run-list', about: 'a list of 10,000 runs in Chromium, 50 more a second arriving', run: pageRunList },
  { name: 'page-live', about: 'from an append to the screen, in Chromium', run: pageLive },
  { name: 'sockets', about: '1,000 people on WebSockets who ask and talk, embedded', run: sockets },
  { name: 'cold-start', about: '1 million events whose index was lost: snapshot and tail, against a replay of all', run: coldStart },
  { name: 'checkpoints', about: 'checkpoints over SQLite and a folder: made, found, restored', run: checkpoints },
  { name: 'million-contents', about: 'is this content there, among a million', run: millionContents },
  { name: 'start-up', about: 'npm start to answering, page built', run: startUp },
]
