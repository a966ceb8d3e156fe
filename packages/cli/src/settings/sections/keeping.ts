import { parseFlowLimits } from '@koco/panel/retention'
import { about, folder, seconds, text, whole } from '../kinds.ts'

/** What is kept for how long. */
export const keepingSettings = {
  auditDays: whole(0, 36_500)
    .default(365)
    .meta(about({ variable: 'AUDIT_DAYS', help: 'Entries of the audit log are taken away when so many days old; 0 keeps them' })),
  retainDays: seconds(0, 36_500)
    .default(365)
    .meta(about({ variable: 'RETAIN_DAYS', help: 'Runs are taken away so many days after their end; 0 keeps them' })),
  retainRuns: whole(0, Number.MAX_SAFE_INTEGER)
    .default(100_000)
    .meta(about({ variable: 'RETAIN_RUNS', help: 'Of runs that are over so many are kept, the newest; 0 keeps all' })),
  retainBytes: whole(0, Number.MAX_SAFE_INTEGER)
    .default(50 * 2 ** 30)
    .meta(about({ variable: 'RETAIN_BYTES', help: 'Of runs that are over so many bytes are kept, events and files; 0 keeps all' })),
  retainFlows: text
    .refine(isFlowLimits, 'must be like nightly:days=7,runs=500;report:bytes=1000000000')
    .optional()
    .meta(about({ variable: 'RETAIN_FLOWS', none: 'none', help: 'Limits of single flows, like nightly:days=7,runs=500;report:bytes=1000000000' })),
  retainArchive: folder
    .optional()
    .meta(about({ variable: 'RETAIN_ARCHIVE', none: 'none: they go for good', help: 'Folder into which runs are written before they are taken away' })),
  retainEvery: seconds(0, 30 * 86_400)
    .default(3600)
    .meta(about({ variable: 'RETAIN_EVERY', help: 'How often a running koco takes runs away, in seconds; 0 leaves it to `koco prune`' })),
  snapshotDir: folder.default('./data/snapshots').meta(about({ variable: 'SNAPSHOT_DIR', help: 'Folder of the snapshots of what is folded from events' })),
  snapshotEvents: whole(0, Number.MAX_SAFE_INTEGER)
    .default(100)
    .meta(about({ variable: 'SNAPSHOT_EVENTS', help: 'A snapshot is made after so many new events; 0 makes none' })),
  snapshotEvery: seconds(1, 30 * 86_400)
    .default(1800)
    .meta(about({ variable: 'SNAPSHOT_EVERY', help: 'Or after so many seconds, when anything happened' })),
  snapshotKeep: whole(1, 1000)
    .default(5)
    .meta(about({ variable: 'SNAPSHOT_KEEP', help: 'So many of these snapshots are kept, the newest' })),
}

function isFlowLimits(value: string): boolean {
  try {
    parseFlowLimits(value)
    return true
  } catch {
    return false
  }
}
