import type { Kysely } from 'kysely'

/** The tables for sign-in through others, tokens of programs and tickets, and when somebody last signed in. */
export async function createSignInTables(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('users').addColumn('last_login_at', 'double precision').execute()
  await createIdentities(db)
  await createTokens(db)
  await db.schema
    .createTable('signing_keys')
    .addColumn('kid', 'text', (column) => column.primaryKey())
    .addColumn('sealed', 'text', (column) => column.notNull())
    .addColumn('created_at', 'double precision', (column) => column.notNull())
    .addColumn('signs_from', 'double precision', (column) => column.notNull())
    .execute()
  await db.schema
    .createTable('tickets')
    .addColumn('hash', 'text', (column) => column.primaryKey())
    .addColumn('user_id', 'text', (column) => column.notNull().references('users.id').onDelete('cascade'))
    .addColumn('via', 'text', (column) => column.notNull())
    .addColumn('credential', 'text', (column) => column.notNull())
    .addColumn('expires_at', 'double precision', (column) => column.notNull())
    .execute()
  await db.schema.createIndex('ix_tickets_expires').on('tickets').column('expires_at').execute()
}

async function createIdentities(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('identities')
    .addColumn('issuer', 'text', (column) => column.notNull())
    .addColumn('subject', 'text', (column) => column.notNull())
    .addColumn('user_id', 'text', (column) => column.notNull().references('users.id').onDelete('cascade'))
    .addColumn('login', 'text', (column) => column.notNull())
    .addColumn('email', 'text', (column) => column.notNull())
    .addColumn('created_at', 'double precision', (column) => column.notNull())
    .addColumn('last_login_at', 'double precision', (column) => column.notNull())
    .addPrimaryKeyConstraint('identities_pk', ['issuer', 'subject'])
    .execute()
  await db.schema.createIndex('ix_identities_user').on('identities').columns(['user_id', 'issuer']).unique().execute()
}

async function createTokens(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('token_families')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('user_id', 'text', (column) => column.notNull().references('users.id').onDelete('cascade'))
    .addColumn('created_at', 'double precision', (column) => column.notNull())
    .addColumn('expires_at', 'double precision', (column) => column.notNull())
    .addColumn('agent', 'text', (column) => column.notNull())
    .execute()
  await db.schema.createIndex('ix_token_families_user').on('token_families').column('user_id').execute()
  await db.schema.createIndex('ix_token_families_expires').on('token_families').column('expires_at').execute()
  await db.schema
    .createTable('refresh_tokens')
    .addColumn('hash', 'text', (column) => column.primaryKey())
    .addColumn('family_id', 'text', (column) => column.notNull().references('token_families.id').onDelete('cascade'))
    .addColumn('created_at', 'double precision', (column) => column.notNull())
    .addColumn('used_at', 'double precision')
    .execute()
  await db.schema.createIndex('ix_refresh_tokens_family').on('refresh_tokens').column('family_id').execute()
}
