import { RefusedError } from '@koco/core'
import type Database from 'better-sqlite3'
import { ESCALATIONS_NOTED, WEBHOOK_PAUSES, WEBHOOK_TABLES } from './webhook-schema.ts'

/** The statements that lead from each version of `index.db` to the next. Never change one that was released; add another. */
const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE runs (
    id INTEGER PRIMARY KEY,
    fid TEXT NOT NULL UNIQUE,
    launcher TEXT NOT NULL,
    idempotency_key TEXT,
    flow TEXT NOT NULL,
    user TEXT NOT NULL,
    status TEXT NOT NULL,
    created_at REAL NOT NULL,
    archived INTEGER NOT NULL DEFAULT 0,
    tags TEXT NOT NULL,          -- '\\n' before, between and after
    search TEXT NOT NULL,        -- lower-cased summary, flow, tags and inputs
    about TEXT NOT NULL,         -- version, summary, tags and parent, JSON
    home TEXT,                   -- the folder of the run's folder, once it has a file
    file_epoch INTEGER NOT NULL DEFAULT 0, -- the highest position in the file
    file_seq INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  -- What changes with every write, in rows so short that a batch over many runs touches few pages.
  CREATE TABLE run_states (
    run INTEGER PRIMARY KEY,
    epoch INTEGER NOT NULL,      -- the last position folded
    seq INTEGER NOT NULL,
    top_epoch INTEGER NOT NULL,  -- the latest epoch stored or given out
    waiting INTEGER NOT NULL,    -- 1: records are stored above the last position, behind a hole
    state TEXT NOT NULL          -- times, counts, error, usage, progress; JSON without nulls
  ) STRICT;
  CREATE INDEX runs_created ON runs (created_at, fid);
  CREATE INDEX runs_status ON runs (status, created_at, fid);
  CREATE INDEX runs_unfinished ON runs (launcher, fid) WHERE status IN ('starting', 'running', 'awaiting', 'paused');
  CREATE UNIQUE INDEX runs_idempotency ON runs (user, idempotency_key) WHERE idempotency_key IS NOT NULL;
  CREATE TABLE run_bodies (run INTEGER PRIMARY KEY, inputs TEXT NOT NULL, final TEXT) STRICT;
  CREATE TABLE run_epochs (run INTEGER NOT NULL, epoch INTEGER NOT NULL, last_seq INTEGER NOT NULL, PRIMARY KEY (run, epoch)) STRICT, WITHOUT ROWID;
  CREATE TABLE run_holes (
    run INTEGER NOT NULL, from_epoch INTEGER NOT NULL, from_seq INTEGER NOT NULL, to_epoch INTEGER NOT NULL, to_seq INTEGER NOT NULL,
    PRIMARY KEY (run, from_epoch, from_seq)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE run_controls (run INTEGER PRIMARY KEY, wanted TEXT NOT NULL, by TEXT NOT NULL, reason TEXT, at REAL NOT NULL) STRICT;
  CREATE TABLE chunks (
    id INTEGER PRIMARY KEY AUTOINCREMENT, -- an id is never used again: a late delete must not meet another chunk
    run INTEGER NOT NULL, epoch INTEGER NOT NULL, first_seq INTEGER NOT NULL, last_seq INTEGER NOT NULL,
    size INTEGER NOT NULL, head TEXT NOT NULL, body TEXT NOT NULL
  ) STRICT;
  CREATE INDEX chunks_run ON chunks (run, epoch, first_seq);
  CREATE TABLE locks (
    run INTEGER NOT NULL, lid TEXT NOT NULL, status TEXT NOT NULL, asked_at REAL NOT NULL, state TEXT NOT NULL,
    PRIMARY KEY (run, lid)
  ) STRICT;
  CREATE INDEX locks_asked ON locks (asked_at, run, lid);
  CREATE INDEX locks_status ON locks (status, asked_at, run, lid);
  CREATE TABLE lock_answers (run INTEGER NOT NULL, lid TEXT NOT NULL, answer TEXT NOT NULL, by TEXT NOT NULL, at REAL NOT NULL, PRIMARY KEY (run, lid)) STRICT;
  CREATE TABLE dead_events (
    id INTEGER PRIMARY KEY AUTOINCREMENT, fid TEXT NOT NULL, position TEXT NOT NULL, reason TEXT NOT NULL, body TEXT NOT NULL, at REAL NOT NULL,
    UNIQUE (fid, position)
  ) STRICT;
  CREATE TABLE flow_entries (name TEXT PRIMARY KEY, entry TEXT NOT NULL) STRICT;
  CREATE TABLE flow_workers (id TEXT PRIMARY KEY, launcher TEXT NOT NULL, host TEXT NOT NULL, pid INTEGER NOT NULL, seen_at REAL NOT NULL) STRICT;
  CREATE TABLE flow_workers_entries (worker TEXT NOT NULL, name TEXT NOT NULL, PRIMARY KEY (worker, name)) STRICT, WITHOUT ROWID;
  CREATE TABLE health (id INTEGER PRIMARY KEY, at REAL NOT NULL) STRICT;
  `,
  `
  -- By an expression, so that most runs, which nobody's run has started, cost nothing; it is in the words of CHILD_OF.
  CREATE INDEX runs_parent ON runs (about ->> 'parent', fid) WHERE about ->> 'parent' IS NOT NULL;
  `,
  `
  CREATE TABLE schedules (
    id TEXT PRIMARY KEY, user TEXT NOT NULL, launcher TEXT NOT NULL,
    about TEXT NOT NULL, -- flow, inputs, timing, missed, overlap and created_at, JSON
    paused INTEGER NOT NULL, next_at REAL, last_at REAL, last_fid TEXT, problem TEXT
  ) STRICT;
  CREATE INDEX schedules_due ON schedules (launcher, next_at) WHERE paused = 0 AND next_at IS NOT NULL;
  `,
  `
  -- A conversation is its entries; the row follows from them and is there for lists. Heads come before bodies, so that a fold reads no long text.
  CREATE TABLE chat_sessions (
    id TEXT PRIMARY KEY, user TEXT NOT NULL, search TEXT NOT NULL, pinned INTEGER NOT NULL, archived INTEGER NOT NULL, updated_at REAL NOT NULL,
    turn TEXT,                   -- the run that holds it
    session TEXT NOT NULL, sum INTEGER NOT NULL, -- the row of a list, JSON, and its CRC-32
    draft TEXT
  ) STRICT;
  CREATE INDEX sessions_listed ON chat_sessions (user, pinned, updated_at, id);
  CREATE INDEX sessions_held ON chat_sessions (id) WHERE turn IS NOT NULL;
  CREATE TABLE session_entries (
    session TEXT NOT NULL, revision INTEGER NOT NULL, at REAL NOT NULL, head TEXT NOT NULL, head_sum INTEGER NOT NULL, body TEXT, body_sum INTEGER NOT NULL,
    PRIMARY KEY (session, revision)
  ) STRICT;
  `,
  `
  -- Runs can be taken away: their files are noted here until they are gone, and their numbers are never given out again.
  CREATE TABLE removals (home TEXT NOT NULL, fid TEXT NOT NULL, PRIMARY KEY (home, fid)) STRICT, WITHOUT ROWID;
  CREATE TABLE run_numbers (last INTEGER NOT NULL) STRICT;
  INSERT INTO run_numbers (last) VALUES (0);
  `,
  'ALTER TABLE lock_answers ADD COLUMN reason TEXT',
  `
  CREATE TABLE run_days (
    day INTEGER NOT NULL, flow TEXT NOT NULL, user TEXT NOT NULL, outcome TEXT NOT NULL, bucket INTEGER NOT NULL, runs INTEGER NOT NULL,
    PRIMARY KEY (day, flow, user, outcome, bucket)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE model_days (
    day INTEGER NOT NULL, flow TEXT NOT NULL, user TEXT NOT NULL, provider TEXT NOT NULL, model TEXT NOT NULL,
    calls INTEGER NOT NULL, priced INTEGER NOT NULL, cost REAL NOT NULL, duration_s REAL NOT NULL,
    input_uncached INTEGER NOT NULL, cache_read INTEGER NOT NULL, cache_write INTEGER NOT NULL, output INTEGER NOT NULL, reasoning INTEGER NOT NULL,
    PRIMARY KEY (day, flow, user, provider, model)
  ) STRICT, WITHOUT ROWID;
  `,
  'CREATE TABLE budgets (id TEXT PRIMARY KEY, about TEXT NOT NULL) STRICT',
  `
  -- The index of checkpoints; what they hold lies in the content store.
  CREATE TABLE checkpoints (
    id TEXT PRIMARY KEY, session TEXT NOT NULL, username TEXT NOT NULL, created_at REAL NOT NULL, parent TEXT, merged TEXT,
    bytes INTEGER NOT NULL, added INTEGER NOT NULL, revision INTEGER NOT NULL,
    locked TEXT,                 -- by whom, when and why, JSON
    tokens TEXT NOT NULL,        -- a line for each tag and each value of the metadata
    search TEXT NOT NULL,        -- lower-cased description, tags, metadata, id, session
    about TEXT NOT NULL          -- the rest of the row, JSON
  ) STRICT;
  CREATE INDEX checkpoints_created ON checkpoints (created_at, id);
  CREATE INDEX checkpoints_session ON checkpoints (session, created_at, id);
  CREATE INDEX checkpoints_user ON checkpoints (username, created_at, id);
  CREATE INDEX checkpoints_parent ON checkpoints (parent) WHERE parent IS NOT NULL;
  CREATE INDEX checkpoints_merged ON checkpoints (merged) WHERE merged IS NOT NULL;
  `,
  `
  -- The version as JSON text: a flow may have none. Workers say within seconds again what they serve.
  CREATE TABLE flow_versions (name TEXT NOT NULL, version TEXT NOT NULL, entry TEXT NOT NULL, since REAL NOT NULL, PRIMARY KEY (name, version)) STRICT;
  INSERT INTO flow_versions SELECT name, entry -> 'version', entry, 0 FROM flow_entries;
  DROP TABLE flow_entries;
  DROP TABLE flow_workers_entries;
  CREATE TABLE flow_workers_entries (
    worker TEXT NOT NULL, name TEXT NOT NULL, version TEXT NOT NULL, PRIMARY KEY (worker, name, version)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- By which version of the projector the runs were folded, and how far a newer one has come.
  CREATE TABLE projection (version INTEGER NOT NULL, cursor TEXT) STRICT;
  INSERT INTO projection (version, cursor) VALUES (1, NULL);
  `,
  `
  -- Which events name content that lies in the content store: what is named stays there.
  CREATE TABLE run_contents (
    fid TEXT NOT NULL, epoch INTEGER NOT NULL, seq INTEGER NOT NULL, hash TEXT NOT NULL, bytes INTEGER NOT NULL, stored INTEGER NOT NULL,
    PRIMARY KEY (fid, epoch, seq)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX run_contents_hash ON run_contents (hash, bytes, stored);
  `,
  'CREATE TABLE checkpoint_tasks (kind TEXT NOT NULL, session TEXT NOT NULL, about TEXT NOT NULL, PRIMARY KEY (kind, session)) STRICT, WITHOUT ROWID',
  WEBHOOK_TABLES,
  WEBHOOK_PAUSES,
  ESCALATIONS_NOTED,
]

/** The schema version that this code writes. */
export const SCHEMA_VERSION = MIGRATIONS.length

/** The version of an open `index.db`; 0 when it is empty. */
export function schemaVersion(db: Database.Database): number {
  return Number(db.pragma('user_version', { simple: true }))
}

/**
 * Brings `index.db` to this code's version, or says why not: RefusedError `schema_newer`, or `schema_older` when `migrate` is false.
 * Safe beside other processes that do the same: one migrates, the others find it done.
 */
export function prepareSchema(db: Database.Database, migrate: boolean): void {
  if (checkVersion(db, migrate)) return
  db.transaction(() => {
    for (let version = schemaVersion(db); version < SCHEMA_VERSION; version++) db.exec(MIGRATIONS[version] ?? '')
    db.pragma(`user_version = ${SCHEMA_VERSION}`)
  }).immediate()
}

function checkVersion(db: Database.Database, migrate: boolean): boolean {
  const version = schemaVersion(db)
  if (version > SCHEMA_VERSION) {
    throw new RefusedError(
      `${db.name} was made by a newer koco (schema ${version}; this one knows ${SCHEMA_VERSION}). Update koco, or use another KODO_EXEC_DIR.`,
      {
        code: 'schema_newer',
      },
    )
  }
  if (version < SCHEMA_VERSION && !migrate) {
    throw new RefusedError(`${db.name} has schema ${version}, this koco needs ${SCHEMA_VERSION}. Run: koco db --create-tables`, { code: 'schema_older' })
  }
  return version === SCHEMA_VERSION
}
