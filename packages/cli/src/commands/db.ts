import { adminSchemaVersion, executionSchemaVersion, migrateAdminStore, migrateExecutionStore } from '@koco/storage'
import { Command } from 'commander'
import { adminPlace, executionPlace } from '../compose/stores.ts'
import { EXIT } from '../output/exit.ts'
import type { CommandContext } from './context.ts'

/** `koco db --create-tables`, alias `migrate`. */
export function dbCommand(context: CommandContext): Command {
  const command = new Command('db')
    .alias('migrate')
    .description('Show the schema versions of the databases; with --create-tables (or as `migrate`) bring them to this version')
    .option('--create-tables', 'make what is missing; safe to repeat')
  return context.withSettings(command).action(async (options: { createTables?: boolean }) => {
    const settings = context.settings(command)
    const stores = [
      {
        name: 'execution',
        migrate: () => migrateExecutionStore(executionPlace(settings, context.io.cwd)),
        versions: () => executionSchemaVersion(executionPlace(settings, context.io.cwd)),
      },
      {
        name: 'admin',
        migrate: () => migrateAdminStore(adminPlace(settings, context.io.cwd)),
        versions: () => adminSchemaVersion(adminPlace(settings, context.io.cwd)),
      },
    ]
    const create = options.createTables === true || command.parent?.args[0] === 'migrate'
    for (const store of stores) {
      if (create) {
        const steps = await store.migrate()
        context.io.out(`${store.name}: ${steps.length === 0 ? 'nothing to do' : `done: ${steps.join(', ')}`}`)
      } else {
        const { found, wanted } = await store.versions()
        const current = found === wanted
        if (!current) context.exit(EXIT.refused)
        context.io.out(`${store.name}: version ${found}${current ? '' : ` of ${wanted}: run koco db --create-tables`}`)
      }
    }
  })
}
