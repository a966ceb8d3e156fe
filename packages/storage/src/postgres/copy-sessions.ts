import type { SessionCopy } from '../port/keeper.ts'
import type { ExecutionDatabase } from './schema.ts'
import { readRow, rowOf, SESSION_ROW } from './session-log.ts'

/** Conversations behind `after`, each with its whole log as it is in this transaction. */
export async function sessionCopiesIn(moment: ExecutionDatabase, after: string | null, limit: number): Promise<SessionCopy[]> {
  const rows = await moment
    .selectFrom('chat_sessions')
    .select([...SESSION_ROW, 'draft'])
    .where('id', '>', after ?? '')
    .orderBy('id')
    .limit(limit)
    .execute()
  const copies: SessionCopy[] = []
  for (const row of rows) {
    const entries = await moment
      .selectFrom('session_entries')
      .select(['revision', 'at', 'head', 'head_sum', 'body', 'body_sum'])
      .where('session', '=', row.id)
      .orderBy('revision')
      .execute()
    copies.push({ session: await readRow(moment, row), draft: row.draft, entries })
  }
  return copies
}

/** Writes conversations as they were copied, over what is known of them, in one transaction. */
export async function putSessions(db: ExecutionDatabase, copies: readonly SessionCopy[]): Promise<void> {
  await db.transaction().execute(async (moment) => {
    for (const { session, draft, entries } of copies) {
      await moment.deleteFrom('session_entries').where('session', '=', session.id).execute()
      await moment.deleteFrom('chat_sessions').where('id', '=', session.id).execute()
      await moment
        .insertInto('chat_sessions')
        .values({ ...rowOf(session), draft })
        .execute()
      for (const entry of entries) {
        await moment
          .insertInto('session_entries')
          .values({ session: session.id, ...entry })
          .execute()
      }
    }
  })
}
