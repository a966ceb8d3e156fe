import type { Command } from 'commander'
import { Option } from 'commander'
import { ApiClient } from '../panel-client/api-client.ts'
import { findPanel, type PanelPlace } from '../panel-client/find-panel.ts'
import { usageError } from '../output/exit.ts'
import type { Io } from '../output/io.ts'
import type { OutputForm } from '../output/table.ts'
import { readSettings, type SettingSources } from '../settings/read.ts'
import { listSettings, type SettingKey, type Settings } from '../settings/schema.ts'

/** What every command gets: the terminal and how to come by settings and the panel. */
export type CommandContext = {
  readonly io: Io
  /** Adds the flags of settings to a command; unless `keys` says which, all but what only clients of a panel need. */
  withSettings(command: Command, keys?: readonly SettingKey[]): Command
  /** The settings with this command's flags. */
  settings(command: Command): Settings
  /** The panel that the settings or a profile name, with the key that was found. */
  panel(command: Command): PanelPlace
  /** A client of that panel. */
  client(command: Command): ApiClient
  /** The command line with all its commands. */
  wholeProgram(): Promise<Command>
  /** Sets the exit code of a command that did its work but has bad news. */
  exit(code: number): void
}

/** The settings that a command needs to talk to a running panel. */
export const CLIENT_SETTINGS: readonly SettingKey[] = ['appServer', 'apiKey', 'profile', 'adminDatabase', 'execDir']

/** All settings, also those of clients: for what is a client of a panel, or brings one. */
export const ALL_SETTINGS: readonly SettingKey[] = listSettings().map(({ key }) => key)

/** The context of one call of the command line. */
export function createContext(io: Io, { exit, wholeProgram }: Pick<CommandContext, 'exit' | 'wholeProgram'>): CommandContext {
  const sources = (command: Command): SettingSources => ({ env: io.env, flags: flagsOf(command), cwd: io.cwd })
  const settings = (command: Command): Settings => readSettings(sources(command))
  const panel = (command: Command): PanelPlace => findPanel(settings(command), sources(command))
  return {
    io,
    exit,
    wholeProgram,
    settings,
    panel,
    withSettings(command, keys) {
      for (const setting of listSettings()) {
        if (keys ? !keys.includes(setting.key) : setting.key === 'profile') continue
        const fallback = setting.default ?? setting.none
        const option = new Option(`--${setting.flag} <value>`, `${setting.help} (KODO_${setting.variable}${fallback === undefined ? '' : `; ${fallback}`})`)
        command.addOption(option.helpGroup('Settings:'))
      }
      return command
    },
    client(command) {
      const { address, key, profile } = panel(command)
      return new ApiClient(address, key, profile)
    },
  }
}

/** The `-o` option of commands that print. */
export function outputOption(): Option {
  return new Option('-o, --output <form>', 'how to print').choices(['table', 'json', 'ids']).default('table')
}

/** The form that was asked for. */
export function outputForm(options: { readonly output?: string }): OutputForm {
  return (options.output ?? 'table') as OutputForm
}

/** The ids that a command was given; `-` reads them from standard input, one a line. */
export async function readIds(io: Io, args: readonly string[]): Promise<string[]> {
  const ids: string[] = []
  for (const arg of args) {
    if (arg !== '-') ids.push(arg)
    else ids.push(...(await io.readStdin()).split(/\s+/).filter((id) => id !== ''))
  }
  if (ids.length === 0) throw usageError('No id was given, and standard input has none.')
  return ids
}

/** A whole number of an option; a usage error names the option. */
export function wholeNumber(text: string, option: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 1) throw usageError(`${option} takes a whole number above 0, not "${text}".`)
  return value
}

function flagsOf(command: Command): Partial<Record<SettingKey, string>> {
  const given: Partial<Record<SettingKey, string>> = {}
  const options: Record<string, unknown> = command.opts()
  for (const { key, flag } of listSettings()) {
    const value = options[camelCase(flag)]
    if (typeof value === 'string') given[key] = value
  }
  return given
}

// As commander names the values of its options.
function camelCase(flag: string): string {
  return flag.replaceAll(/-(\w)/g, (_match, letter: string) => letter.toUpperCase())
}
