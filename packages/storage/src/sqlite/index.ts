export { createSqliteExecutionStore, migrateSqliteTables, readSqliteVersion, type SqliteStoreOptions } from './store.ts'
