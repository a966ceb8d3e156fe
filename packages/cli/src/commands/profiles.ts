import { hostname } from 'node:os'
import { KocoError, RefusedError, UnavailableError } from '@koco/core'
import type { ApiKey, Me } from '@koco/core/api'
import { Command } from 'commander'
import { usageError } from '../output/exit.ts'
import type { Io } from '../output/io.ts'
import { printItem, printItems, type Column } from '../output/table.ts'
import { ApiClient } from '../panel-client/api-client.ts'
import { LOCAL, profilesFile, readProfiles, writeProfiles, type Profile } from '../panel-client/profiles.ts'
import { settingsSchema } from '../settings/schema.ts'
import { outputForm, outputOption, type CommandContext } from './context.ts'

type LoginOptions = { readonly name?: string; readonly user?: string; readonly output: string }

/** `koco login`: an address and a key, kept under a name. */
export function loginCommand(context: CommandContext): Command {
  return new Command('login')
    .description(
      'Sign in to a panel, keep its address and a key as a profile, and use it from now on; the key or password is asked for, or read from standard input',
    )
    .argument('<address>', 'of the panel, https://koco.example.com')
    .option('--name <profile>', 'name of the profile; the host unless given')
    .option('--user <name>', 'sign in with a password, and have a key made')
    .addOption(outputOption())
    .action(async (text: string, options: LoginOptions) => {
      const { io } = context
      const address = addressOf(text)
      const name = options.name ?? new URL(address).host
      if (name === LOCAL || !/^[\w.:-]{1,100}$/.test(name)) throw usageError(`"${name}" cannot be the name of a profile: give another with --name.`)
      const file = profilesFile(io.env)
      const { profiles } = readProfiles(file)
      const profile = await signIn(io, address, options.user)
      await writeProfiles(file, { current: name, profiles: { ...profiles, [name]: profile } })
      const before = profiles[name]
      if (before?.keyId != null && before.keyId !== profile.keyId) await revoke(before)
      printItem(io, outputForm(options), name, { profile: name, address, user: profile.user })
    })
}

/** `koco logout`: forgets a profile. */
export function logoutCommand(context: CommandContext): Command {
  return new Command('logout')
    .description('Forget a profile; a key that login had made is revoked')
    .argument('[profile]', 'the one in use unless given')
    .addOption(outputOption())
    .action(async (given: string | undefined, options: { output: string }) => {
      const file = profilesFile(context.io.env)
      const { current, profiles } = readProfiles(file)
      const name = given ?? current
      const { [name]: profile, ...others } = profiles
      if (!profile) throw noProfile(name)
      await writeProfiles(file, { current: name === current ? LOCAL : current, profiles: others })
      const left = await revoke(profile)
      printItem(context.io, outputForm(options), name, { profile: name, address: profile.address, revoked: profile.keyId !== null && left === null })
      if (left) throw left
    })
}

/** `koco profiles …` */
export function profilesCommand(context: CommandContext): Command {
  return new Command('profiles').description('Panels that `koco login` keeps').addCommand(listCommand(context)).addCommand(useCommand(context))
}

type Row = { readonly name: string; readonly address: string | null; readonly user: string | null; readonly current: boolean }

const COLUMNS: readonly Column<Row>[] = [
  { title: '', cell: (row) => (row.current ? '*' : '') },
  { title: 'PROFILE', cell: (row) => row.name },
  { title: 'ADDRESS', cell: (row) => row.address ?? '(of the settings)' },
  { title: 'USER', cell: (row) => row.user },
]

function listCommand(context: CommandContext): Command {
  return new Command('list')
    .description('List profiles; the one in use has a star')
    .addOption(outputOption())
    .action((options: { output: string }) => {
      const { current, profiles } = readProfiles(profilesFile(context.io.env))
      const named = Object.entries(profiles).map(([name, { address, user }]): Row => ({ name, address, user, current: name === current }))
      const rows = [{ name: LOCAL, address: null, user: null, current: current === LOCAL }, ...named]
      printItems(context.io, outputForm(options), rows, { id: (row) => row.name, columns: COLUMNS, empty: '' })
    })
}

function useCommand(context: CommandContext): Command {
  return new Command('use')
    .description('Use a profile from now on')
    .argument('<profile>', `its name, or ${LOCAL}: the panel that the settings name`)
    .addOption(outputOption())
    .action(async (name: string, options: { output: string }) => {
      const file = profilesFile(context.io.env)
      const { profiles } = readProfiles(file)
      if (name !== LOCAL && !profiles[name]) throw noProfile(name)
      await writeProfiles(file, { current: name, profiles })
      printItem(context.io, outputForm(options), name, { profile: name, address: profiles[name]?.address ?? null })
    })
}

function addressOf(text: string): string {
  const parsed = settingsSchema.shape.appServer.safeParse(text)
  if (!parsed.success) throw usageError(`"${text}" is no address of a panel: it ${parsed.error.issues[0]?.message ?? 'is not valid'}.`)
  return parsed.data.replace(/\/$/, '')
}

function noProfile(name: string): RefusedError {
  return new RefusedError(name === LOCAL ? 'No profile is in use: see `koco profiles list`.' : `There is no profile "${name}": see \`koco profiles list\`.`, {
    code: 'bad_profile',
  })
}

/** Who signs in, by what the person gives: nothing where the panel asks for nothing, a password for a key that is made, or a key. */
async function signIn(io: Io, address: string, givenUser: string | undefined): Promise<Profile> {
  const open = await whoAmI(address, undefined)
  if (open) return { address, user: open.user.name, key: null, keyId: null }
  const user = givenUser ?? (await io.ask('User name or address (nothing: you have a key): ', { hidden: false })) ?? ''
  const secret = (await io.ask(user === '' ? 'Key: ' : `Password of ${user}: `, { hidden: true })) ?? (await io.readStdin()).trim()
  if (secret === '') throw usageError('Give the key, or with --user the password, on standard input.')
  if (user !== '') return { address, ...(await makeKey(address, user, secret)) }
  const me = await whoAmI(address, secret)
  if (!me) throw new RefusedError(`${address} does not know this key.`, { code: 'wrong_key' })
  return { address, user: me.user.name, key: secret, keyId: null }
}

/** Undefined when the panel does not let this key in. */
async function whoAmI(address: string, key: string | undefined): Promise<Me | undefined> {
  try {
    return await new ApiClient(address, key).call<Me>('GET', '/api/auth/me')
  } catch (error) {
    if (error instanceof RefusedError && error.code === 'not_signed_in') return undefined
    throw error
  }
}

async function makeKey(address: string, login: string, password: string): Promise<Pick<Profile, 'user' | 'key' | 'keyId'>> {
  const outside = new ApiClient(address, undefined)
  type Tokens = { readonly access_token: string; readonly refresh_token: string }
  const tokens = await outside.call<Tokens>('POST', '/api/auth/token', { grant_type: 'password', login, password })
  const inside = new ApiClient(address, tokens.access_token)
  const made = await inside.call<ApiKey & { readonly key: string }>('POST', '/api/keys', { name: `koco login on ${hostname()}`.slice(0, 100) })
  await outside.call('POST', '/api/auth/revoke', { token: tokens.refresh_token })
  return { user: made.user ?? login, key: made.key, keyId: made.id }
}

/** Revokes a key that was made for a profile; gives what a person must know when that could not be done. */
async function revoke({ address, key, keyId }: Profile): Promise<KocoError | null> {
  if (key === null || keyId === null) return null
  try {
    await new ApiClient(address, key).call('DELETE', `/api/keys/${encodeURIComponent(keyId)}`)
  } catch (error) {
    // Unknown there already.
    if (error instanceof RefusedError) return null
    if (!(error instanceof KocoError)) throw error
    const message = `The profile is forgotten, but its key ${keyId} could not be revoked: ${error.message}\nRevoke it on the page, or with \`koco keys revoke ${keyId}\`.`
    return new UnavailableError(message, { code: 'key_stays', cause: error })
  }
  return null
}
