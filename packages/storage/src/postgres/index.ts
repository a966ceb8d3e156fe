export { createPostgresExecutionStore, migratePostgresTables, readPostgresVersion, type PostgresStoreOptions } from './store.ts'
