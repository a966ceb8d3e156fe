import { IMPORTED } from '../tally.ts'

const ENDED = "('finished', 'error', 'cancelled', 'timed_out')"
const NOW = "unixepoch('subsec')"

/** Notes one fact for every address that wants to know. The words are SQL; `from`: where they come from; `to`: which addresses are told. Not `INSERT OR IGNORE`: the statement that fires a trigger decides for those within it. */
function note(words: {
  readonly type: string
  readonly about: string
  readonly lid: string
  readonly detail: string
  readonly from: string
  readonly at: string
  readonly to?: string
}): string {
  const { type, about, lid, detail, from, at, to = 'w.paused = 0' } = words
  return `INSERT INTO webhook_deliveries (id, webhook, fact, type, fid, lid, flow, username, detail, at, next_at)
    SELECT 'msg_' || lower(hex(randomblob(16))), w.id, ${type} || ' ' || ${about}, ${type}, r.fid, ${lid}, r.flow, r.user, ${detail}, ${at}, 0
    FROM webhooks w, ${from}
    WHERE ${to} AND instr(w.events, char(10) || ${type} || char(10)) > 0 AND (w.flow IS NULL OR w.flow = r.flow) AND (w.runs_of IS NULL OR w.runs_of = r.user)
    AND NOT EXISTS (SELECT 1 FROM webhook_deliveries d WHERE d.webhook = w.id AND d.fact = ${type} || ' ' || ${about})`
}

const LOCK = { about: "r.fid || ' ' || NEW.lid", lid: 'NEW.lid', detail: "NEW.state ->> 'name'", from: 'runs r ON r.id = NEW.run', at: NOW }

/** Addresses to be told of events, and what is noted for them by triggers: in the transaction that stores what happened, whichever process stores it. */
export const WEBHOOK_TABLES = `
  CREATE TABLE webhooks (
    id TEXT PRIMARY KEY, url TEXT NOT NULL, username TEXT NOT NULL, runs_of TEXT, flow TEXT,
    events TEXT NOT NULL,        -- '\\n' before, between and after
    bodies INTEGER NOT NULL, paused INTEGER NOT NULL, secret TEXT NOT NULL, created_at REAL NOT NULL, failing_since REAL
  ) STRICT;
  CREATE TABLE webhook_deliveries (
    id TEXT PRIMARY KEY, webhook TEXT NOT NULL, fact TEXT NOT NULL, type TEXT NOT NULL, fid TEXT, lid TEXT, flow TEXT, username TEXT, detail TEXT, at REAL NOT NULL,
    state TEXT NOT NULL DEFAULT 'waiting', attempts INTEGER NOT NULL DEFAULT 0, next_at REAL, last_at REAL, last_status INTEGER, problem TEXT,
    UNIQUE (webhook, fact)
  ) STRICT;
  CREATE INDEX webhook_deliveries_due ON webhook_deliveries (webhook, next_at) WHERE state = 'waiting';
  CREATE INDEX webhook_deliveries_at ON webhook_deliveries (webhook, at, id);
  CREATE TRIGGER runs_noted AFTER UPDATE OF status ON runs WHEN NEW.status IN ${ENDED} AND OLD.status <> NEW.status AND NEW.launcher <> '${IMPORTED}' BEGIN
    ${note({ type: "('run.' || r.status)", about: "r.fid || ' ' || (SELECT epoch FROM run_states WHERE run = r.id)", lid: 'NULL', detail: 'NULL', from: 'runs r ON r.id = NEW.id', at: NOW })};
  END;
  CREATE TRIGGER locks_opened AFTER INSERT ON locks WHEN NEW.status = 'open' BEGIN
    ${note({ ...LOCK, type: "'question.waiting'" })};
  END;
  CREATE TRIGGER locks_expired AFTER UPDATE OF status ON locks WHEN NEW.status = 'expired' AND OLD.status = 'open' BEGIN
    ${note({ ...LOCK, type: "'question.expired'" })};
  END;
  CREATE TRIGGER dead_events_noted AFTER INSERT ON dead_events BEGIN
    ${note({ type: "'dead.event'", about: "NEW.fid || ' ' || NEW.position", lid: 'NULL', detail: 'NEW.position', from: '(SELECT NEW.fid AS fid, (SELECT flow FROM runs WHERE fid = NEW.fid) AS flow, (SELECT user FROM runs WHERE fid = NEW.fid) AS user) r', at: NOW })};
  END;
`

/** Notes the questions of which four fifths of the time to answer are over. */
export const NOTE_DUE = note({
  type: "'question.due'",
  about: "r.fid || ' ' || l.lid",
  lid: 'l.lid',
  detail: "l.state ->> 'name'",
  from: "locks l, runs r ON r.id = l.run AND l.status = 'open' AND @at >= (l.state ->> 'expiresAt') - ((l.state ->> 'expiresAt') - l.asked_at) / 5",
  at: '@at',
})

/** Notes an alarm. */
export const NOTE_ALARM = note({
  type: '@type',
  about: '@fact',
  lid: 'NULL',
  detail: '@detail',
  from: '(SELECT NULL AS fid, @flow AS flow, NULL AS user) r',
  at: '@at',
})

/** Notes that others may answer a question now. */
export const ESCALATIONS_NOTED = `
  CREATE TRIGGER locks_escalated AFTER UPDATE OF state ON locks
  WHEN NEW.status = 'open' AND coalesce(NEW.state ->> 'escalated', 0) > coalesce(OLD.state ->> 'escalated', 0) BEGIN
    ${note({ ...LOCK, type: "'question.escalated'", about: "r.fid || ' ' || NEW.lid || ' ' || (NEW.state ->> 'escalated')" })};
  END;
`

/** Since when an address is paused, and why. */
export const WEBHOOK_PAUSES = `
  ALTER TABLE webhooks ADD COLUMN paused_at REAL;
  ALTER TABLE webhooks ADD COLUMN paused_because TEXT;
  UPDATE webhooks SET paused_at = ${NOW}, paused_because = 'asked' WHERE paused = 1;
`

/** Notes what an address has missed, the newest first, and no more than `@most`. */
export const NOTE_MISSED = `${note({
  type: 'r.type',
  about: 'r.about',
  lid: 'r.lid',
  detail: 'r.detail',
  from: `(
    SELECT 'run.' || r.status AS type, r.fid || ' ' || s.epoch AS about, r.fid, NULL AS lid, r.flow, r.user, NULL AS detail, s.state ->> 'finishedAt' AS at
    FROM runs r JOIN run_states s ON s.run = r.id WHERE r.status IN ${ENDED} AND r.launcher <> '${IMPORTED}'
    UNION ALL SELECT 'question.waiting', r.fid || ' ' || l.lid, r.fid, l.lid, r.flow, r.user, l.state ->> 'name', l.asked_at
    FROM locks l JOIN runs r ON r.id = l.run WHERE l.status = 'open'
    UNION ALL SELECT 'question.expired', r.fid || ' ' || l.lid, r.fid, l.lid, r.flow, r.user, l.state ->> 'name', l.state ->> 'answeredAt'
    FROM locks l JOIN runs r ON r.id = l.run WHERE l.status = 'expired'
    UNION ALL SELECT 'dead.event', d.fid || ' ' || d.position, d.fid, NULL, r.flow, r.user, d.position, d.at FROM dead_events d LEFT JOIN runs r ON r.fid = d.fid
  ) r`,
  at: 'r.at',
  to: 'w.id = @webhook AND r.at >= @since',
})} ORDER BY r.at DESC LIMIT @most`
