import { RUN_STATUSES } from '@koco/core'
import { sql } from 'kysely'
import { clampLimit, decodeCursor, encodeCursor, pageOf } from '../cursor.ts'
import { inputsInShort, SHORT_FROM_CHARS } from '../inputs-in-short.ts'
import type { ListedRun, RunQuery } from '../port/runs.ts'
import type { Page } from '../port/page.ts'
import { searchWords } from '../search.ts'
import { SUMMARY_COLUMNS, toSummary } from './run-row.ts'
import type { ExecutionDatabase } from './schema.ts'

/** A page of runs, newest first. Throws RefusedError `bad_cursor`. */
export async function listRuns(db: ExecutionDatabase, query: RunQuery): Promise<Page<ListedRun>> {
  const limit = clampLimit(query.limit)
  let runs = db
    .selectFrom('runs')
    .select(SUMMARY_COLUMNS)
    .select(sql<string>`left(inputs, ${SHORT_FROM_CHARS}::integer)`.as('inputs_start'))
    .where('archived', '=', query.archived === true)
  if (query.status) runs = runs.where(sql<boolean>`status = any(${[...query.status]}::text[])`)
  if (query.flow !== undefined) runs = runs.where('flow', '=', query.flow)
  if (query.user !== undefined) runs = runs.where('username', '=', query.user)
  if (query.tag !== undefined) runs = runs.where(sql<boolean>`tags ? ${query.tag}`)
  if (query.parent !== undefined) runs = runs.where('parent', '=', query.parent)
  if (query.createdFrom !== undefined) runs = runs.where('created_at', '>=', query.createdFrom)
  if (query.createdTo !== undefined) runs = runs.where('created_at', '<', query.createdTo)
  for (const word of searchWords(query.q ?? '')) runs = runs.where(hasWord(word))
  if (query.cursor !== undefined) {
    const [createdAt, fid] = decodeCursor('runs', query.cursor, ['number', 'string'])
    runs = runs.where(sql<boolean>`(created_at, fid) < (${createdAt}, ${fid})`)
  }
  const rows = await runs
    .orderBy('created_at', 'desc')
    .orderBy('fid', 'desc')
    .limit(limit + 1)
    .execute()
  return pageOf(
    rows.map((row) => ({ ...toSummary(row), about: inputsInShort(row.inputs_start) })),
    limit,
    (run) => encodeCursor('runs', [run.createdAt, run.fid]),
  )
}

/** The status is no part of the search text; only a word that looks like one is looked for in it. */
function hasWord(word: string) {
  const found = sql<boolean>`position(${word} in search) > 0`
  const statuses = RUN_STATUSES.filter((status) => status.includes(word))
  return statuses.length === 0 ? found : sql<boolean>`(${found} or status = any(${statuses}::text[]))`
}
