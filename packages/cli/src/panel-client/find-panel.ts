import { RefusedError } from '@koco/core'
import { usageError } from '../output/exit.ts'
import { isGiven, type SettingSources } from '../settings/read.ts'
import type { Settings } from '../settings/schema.ts'
import { findKey } from './key.ts'
import { LOCAL, profilesFile, readProfiles } from './profiles.ts'

/** The panel that a command talks to. `profile`: by whose word, null when by that of the settings. */
export type PanelPlace = { readonly address: string; readonly key: string | undefined; readonly profile: string | null }

/**
 * The panel of a command: that of the profile which PROFILE names; else the one of the settings, when they name its address or a key; else that of the profile in use. Address and key always come from one
 * place: a key is never shown to a panel that it is not for. RefusedError `bad_profile` for a name that is none, `usage` when flags name another panel than the profile.
 */
export function findPanel(settings: Settings, sources: SettingSources): PanelPlace {
  const isNamed = isGiven(sources, 'appServer') || isGiven(sources, 'apiKey')
  if (settings.profile === undefined && isNamed) return ofSettings(settings, sources.cwd)
  const { current, profiles } = readProfiles(profilesFile(sources.env))
  const name = settings.profile ?? current
  if (name === LOCAL) return ofSettings(settings, sources.cwd)
  if (sources.flags.appServer !== undefined || sources.flags.apiKey !== undefined)
    throw usageError(`The profile ${name} names address and key: leave --address and --api-key away, or take --profile ${LOCAL}.`)
  const profile = profiles[name]
  if (!profile) throw new RefusedError(`There is no profile "${name}": see \`koco profiles list\`, or make it with \`koco login\`.`, { code: 'bad_profile' })
  return { address: profile.address, key: profile.key ?? undefined, profile: name }
}

function ofSettings(settings: Settings, cwd: string): PanelPlace {
  return { address: settings.appServer, key: findKey(settings, cwd), profile: null }
}
