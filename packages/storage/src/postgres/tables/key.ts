import { sql } from 'kysely'

/** The type of what is compared and sorted: text in byte order, faster than a language's, and the same in every database and in SQLite. */
export const key = sql`text collate "C"`
