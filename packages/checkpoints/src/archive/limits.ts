import { RefusedError } from '@koco/core'

/** What an archive may be. Sizes in bytes. `ratioMax`: how much larger than itself its content may be, once it is larger than `ratioFromBytes`. */
export type ArchiveLimits = {
  readonly bytesMax: number
  readonly entriesMax: number
  readonly manifestBytesMax: number
  readonly ratioMax: number
  readonly ratioFromBytes: number
}

/** The usual limits: 4 GiB in 100,000 entries, a manifest of 64 MiB, and 200 times itself. */
export const ARCHIVE_LIMITS: ArchiveLimits = {
  bytesMax: 4 * 2 ** 30,
  entriesMax: 100_000,
  manifestBytesMax: 64 * 2 ** 20,
  ratioMax: 200,
  ratioFromBytes: 16 * 2 ** 20,
}

/** Says why an archive is not taken. */
export function badArchive(why: string, cause?: unknown): RefusedError {
  return new RefusedError(`This is not an archive that checkpoints can be taken from: ${why}. Nothing of it was imported.`, { code: 'bad_archive', cause })
}
