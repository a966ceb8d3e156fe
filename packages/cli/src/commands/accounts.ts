import type { ApiKey, User } from '@koco/core/api'
import { Command } from 'commander'
import { printEach } from '../output/each.ts'
import { usageError } from '../output/exit.ts'
import { printItem, printItems, timeText, type Column } from '../output/table.ts'
import { CLIENT_SETTINGS, outputForm, outputOption, readIds, type CommandContext } from './context.ts'

const LIST_MAX = 10_000

const USER_COLUMNS: readonly Column<User>[] = [
  { title: 'NAME', cell: (user) => user.name },
  { title: 'EMAIL', cell: (user) => user.email },
  { title: 'ROLE', cell: (user) => user.role },
  { title: 'ACTIVE', cell: (user) => (user.active ? 'yes' : 'no') },
  { title: 'SINCE', cell: (user) => timeText(user.created_at) },
]

const KEY_COLUMNS: readonly Column<ApiKey>[] = [
  { title: 'ID', cell: (key) => key.id },
  { title: 'NAME', cell: (key) => key.name },
  { title: 'KEY', cell: (key) => `koco_${key.prefix}_…` },
  { title: 'USER', cell: (key) => key.user },
  { title: 'SINCE', cell: (key) => timeText(key.created_at) },
  { title: 'USED', cell: (key) => timeText(key.used_at) },
]

/** `koco users …` */
export function usersCommand(context: CommandContext): Command {
  const users = new Command('users').description('Who may sign in (for operators)')
  return users.addCommand(usersList(context)).addCommand(usersAdd(context)).addCommand(usersSet(context))
}

/** `koco keys …` */
export function keysCommand(context: CommandContext): Command {
  const keys = new Command('keys').description('Keys with which programs sign in')
  return keys.addCommand(keysList(context)).addCommand(keysCreate(context)).addCommand(keysRevoke(context))
}

function usersList(context: CommandContext): Command {
  const command = new Command('list').description('List users').addOption(outputOption())
  return context.withSettings(command, CLIENT_SETTINGS).action(async (options: { output: string }) => {
    const items = await context.client(command).list<User>('/api/users', LIST_MAX)
    printItems(context.io, outputForm(options), items, { id: (user) => user.name, columns: USER_COLUMNS, empty: 'No users.' })
  })
}

type UserOptions = { readonly email?: string; readonly role?: string; readonly password?: string; readonly active?: string; readonly output: string }

function usersAdd(context: CommandContext): Command {
  const command = new Command('add')
    .description('Add a user; without a password one is made and printed once')
    .argument('<name>')
    .requiredOption('--email <address>')
    .option('--role <role>', 'viewer, user or operator', 'user')
    .option('--password <text>')
    .addOption(outputOption())
  return context.withSettings(command, CLIENT_SETTINGS).action(async (name: string, { email, role, password, output }: UserOptions) => {
    const made = await context
      .client(command)
      .call<User & { readonly password: string | null }>('POST', '/api/users', { name, email, role, ...(password !== undefined && { password }) })
    const form = outputForm({ output })
    if (form === 'json') return printItem(context.io, form, name, made)
    context.io.out(name)
    if (form === 'table' && made.password !== null) context.io.out(`password: ${made.password}`)
  })
}

function usersSet(context: CommandContext): Command {
  const command = new Command('set')
    .description('Change a user')
    .argument('<name>')
    .option('--email <address>')
    .option('--role <role>', 'viewer, user or operator')
    .option('--password <text>')
    .option('--active <yes|no>')
    .addOption(outputOption())
  return context.withSettings(command, CLIENT_SETTINGS).action(async (name: string, { email, role, password, active, output }: UserOptions) => {
    if (active !== undefined && active !== 'yes' && active !== 'no') throw usageError(`--active takes yes or no, not "${active}".`)
    const change = { email, role, password, ...(active !== undefined && { active: active === 'yes' }) }
    if (Object.values(change).every((value) => value === undefined)) throw usageError('Say what to change: --email, --role, --password or --active.')
    const client = context.client(command)
    const user = (await client.list<User>('/api/users', LIST_MAX)).find((one) => one.name === name || one.email === name)
    if (!user) throw usageError(`There is no user "${name}": see \`koco users list\`.`)
    const changed = await client.call<User>('PATCH', `/api/users/${user.id}`, change)
    const form = outputForm({ output })
    if (form === 'json') printItem(context.io, form, user.name, changed)
    else context.io.out(user.name)
  })
}

function keysList(context: CommandContext): Command {
  const command = new Command('list').description('List keys; their secrets were shown once').addOption(outputOption())
  return context.withSettings(command, CLIENT_SETTINGS).action(async (options: { output: string }) => {
    const items = await context.client(command).list<ApiKey>('/api/keys', LIST_MAX)
    printItems(context.io, outputForm(options), items, { id: (key) => key.id, columns: KEY_COLUMNS, empty: 'No keys.' })
  })
}

function keysCreate(context: CommandContext): Command {
  const command = new Command('create')
    .description('Make a key and print it; it is shown this one time')
    .argument('<name>', 'what it is for')
    .addOption(outputOption())
  return context.withSettings(command, CLIENT_SETTINGS).action(async (name: string, options: { output: string }) => {
    const made = await context.client(command).call<ApiKey & { readonly key: string }>('POST', '/api/keys', { name })
    const form = outputForm(options)
    if (form === 'table') context.io.out(made.key)
    else printItem(context.io, form, made.id, made)
  })
}

function keysRevoke(context: CommandContext): Command {
  const command = new Command('revoke').description('Make keys worthless').argument('<id...>', 'ids, or - to read them').addOption(outputOption())
  return context.withSettings(command, CLIENT_SETTINGS).action(async (ids: string[], options: { output: string }) => {
    const client = context.client(command)
    const revoke = async (id: string) => await client.call('DELETE', `/api/keys/${encodeURIComponent(id)}`)
    await printEach(context.io, outputForm(options), await readIds(context.io, ids), revoke)
  })
}
