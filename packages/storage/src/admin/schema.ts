import { sql, type Kysely } from 'kysely'
import type { Role } from '../port/users.ts'
import type { Schema } from '../migrations.ts'
import { createSignInTables } from './sign-in-tables.ts'
import { createViewTables } from './view-tables.ts'

/** The tables of the admin store, the same in SQLite and Postgres: flags are 0 or 1, times unix seconds. */
export type AdminTables = {
  users: {
    id: string
    name: string
    email: string
    /** The address in lower case: what makes it unique. */
    email_key: string
    role: Role
    active: number
    created_at: number
    password_hash: string | null
    last_login_at: number | null
  }
  sessions: { id_hash: string; user_id: string; created_at: number; seen_at: number; expires_at: number; agent: string }
  api_keys: { id: string; user_id: string; name: string; prefix: string; hash: string; created_at: number; used_at: number | null }
  identities: { issuer: string; subject: string; user_id: string; login: string; email: string; created_at: number; last_login_at: number }
  token_families: { id: string; user_id: string; created_at: number; expires_at: number; agent: string }
  refresh_tokens: { hash: string; family_id: string; created_at: number; used_at: number | null }
  signing_keys: { kid: string; sealed: string; created_at: number; signs_from: number }
  tickets: { hash: string; user_id: string; via: string; credential: string; expires_at: number }
  audit_log: {
    id: string
    at: number
    actor: string
    via: string
    action: string
    target: string
    status: number
    detail: string
    address: string
  }
  saved_views: { id: string; user_id: string; name: string; search: string; shared: number; saved_at: number }
  admin_health: { id: number; at: number }
}

/** A query builder that knows these tables. */
export type AdminDatabase = Kysely<AdminTables>

/** Versions of the admin schema; a step is never changed once it was released. */
export const ADMIN_SCHEMA: Schema = {
  store: 'admin',
  migrations: [
    { name: 'users, sessions, keys', up: createTables },
    { name: 'sign-in through others, tokens, tickets', up: createSignInTables },
    { name: 'audit log', up: createAuditLog },
    { name: 'saved views', up: createViewTables },
  ],
}

async function createTables(db: Kysely<unknown>): Promise<void> {
  await createUsers(db)
  await createSessions(db)
  await createKeys(db)
  await db.schema
    .createTable('admin_health')
    .addColumn('id', 'integer', (column) => column.primaryKey())
    .addColumn('at', 'double precision', (column) => column.notNull())
    .execute()
}

/** Times are in the ids, in order. What was written cannot be changed, by nobody who comes through the tables. */
async function createAuditLog(db: Kysely<unknown>, engine: 'sqlite' | 'postgres'): Promise<void> {
  await db.schema
    .createTable('audit_log')
    .addColumn('id', engine === 'postgres' ? sql`text collate "C"` : 'text', (column) => column.primaryKey())
    .addColumn('at', 'double precision', (column) => column.notNull())
    .addColumn('actor', 'text', (column) => column.notNull())
    .addColumn('via', 'text', (column) => column.notNull())
    .addColumn('action', engine === 'postgres' ? sql`text collate "C"` : 'text', (column) => column.notNull())
    .addColumn('target', 'text', (column) => column.notNull())
    .addColumn('status', 'integer', (column) => column.notNull())
    .addColumn('detail', 'text', (column) => column.notNull())
    .addColumn('address', 'text', (column) => column.notNull())
    .execute()
  await db.schema.createIndex('ix_audit_actor').on('audit_log').columns(['actor', 'id']).execute()
  await db.schema.createIndex('ix_audit_action').on('audit_log').columns(['action', 'id']).execute()
  await db.schema.createIndex('ix_audit_target').on('audit_log').columns(['target', 'id']).execute()
  if (engine === 'sqlite') {
    await sql`create trigger audit_log_stays before update on audit_log begin select raise(abort, 'an entry of the audit log is never changed'); end`.execute(
      db,
    )
    return
  }
  await sql`create function koco_audit_log_stays() returns trigger language plpgsql as $$ begin raise exception 'an entry of the audit log is never changed'; end $$`.execute(
    db,
  )
  await sql`create trigger audit_log_stays before update on audit_log for each row execute function koco_audit_log_stays()`.execute(db)
}

async function createUsers(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('users')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('name', 'text', (column) => column.notNull().unique())
    .addColumn('email', 'text', (column) => column.notNull())
    .addColumn('email_key', 'text', (column) => column.notNull().unique())
    .addColumn('role', 'text', (column) => column.notNull())
    .addColumn('active', 'integer', (column) => column.notNull())
    .addColumn('created_at', 'double precision', (column) => column.notNull())
    .addColumn('password_hash', 'text')
    .execute()
}

async function createSessions(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('sessions')
    .addColumn('id_hash', 'text', (column) => column.primaryKey())
    .addColumn('user_id', 'text', (column) => column.notNull().references('users.id').onDelete('cascade'))
    .addColumn('created_at', 'double precision', (column) => column.notNull())
    .addColumn('seen_at', 'double precision', (column) => column.notNull())
    .addColumn('expires_at', 'double precision', (column) => column.notNull())
    .addColumn('agent', 'text', (column) => column.notNull())
    .execute()
  await db.schema.createIndex('ix_sessions_user').on('sessions').column('user_id').execute()
  await db.schema.createIndex('ix_sessions_expires').on('sessions').column('expires_at').execute()
}

async function createKeys(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('api_keys')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('user_id', 'text', (column) => column.notNull().references('users.id').onDelete('cascade'))
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('prefix', 'text', (column) => column.notNull())
    .addColumn('hash', 'text', (column) => column.notNull().unique())
    .addColumn('created_at', 'double precision', (column) => column.notNull())
    .addColumn('used_at', 'double precision')
    .execute()
  await db.schema.createIndex('ix_api_keys_user').on('api_keys').column('user_id').execute()
}
