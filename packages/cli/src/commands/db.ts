import { adminSchemaVersion, executionSchemaVersion, migrateAdminStore, migrateExecutionStore } from '@koco/storage'
import { Command } from 'commander'
import { adminPlace, executionPlace } from '../compose/stores.ts'
import { EXIT } from '../output/exit.ts'
import { outputForm, outputOption, type CommandContext } from './context.ts'

/** `koco db --create-tables`, alias `migrate`. */
export function dbCommand(context: CommandContext): Command {
  const command = new Command('db')
    .alias('migrate')
    .description('Show the schema versions of the databases; with --create-tables (or as `migrate`) bring them to this version')
    .option('--create-tables', 'make what is missing; safe to repeat')
    .addOption(outputOption())
  return context.withSettings(command).action(async (options: { createTables?: boolean; output: string }) => {
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
    const form = outputForm(options)
    const rows: object[] = []
    for (const { name, migrate, versions } of stores) {
      const steps = create ? await migrate() : null
      const { found, wanted } = await versions()
      if (found !== wanted) context.exit(EXIT.refused)
      rows.push({ store: name, version: found, wanted, done: steps ?? [] })
      if (form === 'ids') context.io.out(name)
      if (form === 'table') context.io.out(`${name}: ${steps ? stepsText(steps) : versionText(found, wanted)}`)
    }
    if (form === 'json') context.io.out(JSON.stringify(rows, null, 2))
  })
}

function stepsText(steps: readonly string[]): string {
  return steps.length === 0 ? 'nothing to do' : `done: ${steps.join(', ')}`
}

function versionText(found: number, wanted: number): string {
  return `version ${found}${found === wanted ? '' : ` of ${wanted}: run koco db --create-tables`}`
}
