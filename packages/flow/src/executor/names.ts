import { RefusedError } from '@koco/core'

const NAME_MAX = 200
const KEY_MAX = 500

/** A claimed identity; `release` says that what it named is no longer in flight. */
export type Claim = { readonly id: string; release(): void }

/**
 * The name space of a group: gives each call its identity within the run. With a key that is name and key, without one name and number of the
 * call. Calls that could change places in another try (one name, side by side, no key) are refused at once.
 */
export class Names {
  readonly path: string
  readonly #counts = new Map<string, number>()
  readonly #inFlight = new Set<string>()
  readonly #keyed = new Set<string>()

  constructor(path: string) {
    this.path = path
  }

  /** Claims the next identity of a name. RefusedError `bad_name`, `same_name_at_once` or `same_key_twice`. */
  claim(what: string, name: string, key?: string | number): Claim {
    checkName(what, name)
    return key === undefined ? this.#numbered(what, name) : this.#withKey(what, name, key)
  }

  /** How often a name was counted, this time included; for values that need no claim. */
  count(name: string): number {
    const count = (this.#counts.get(name) ?? 0) + 1
    this.#counts.set(name, count)
    return count
  }

  #numbered(what: string, name: string): Claim {
    const counted = `${what} ${name}`
    if (this.#inFlight.has(counted)) {
      throw new RefusedError(
        `Two ${what}s named "${name}" run side by side${this.path === '' ? '' : ` in group "${this.path}"`}. Give each a key, or put each branch into a group of its own: ctx.group(name, work).`,
        { code: 'same_name_at_once' },
      )
    }
    this.#inFlight.add(counted)
    const count = this.count(counted)
    const id = this.path + escape(name) + (count === 1 ? '' : `#${count}`)
    return { id, release: () => this.#inFlight.delete(counted) }
  }

  #withKey(what: string, name: string, key: string | number): Claim {
    const text = String(key)
    if (text.length > KEY_MAX) throw new RefusedError(`The key of ${what} "${name}" has ${text.length} characters; at most ${KEY_MAX}.`, { code: 'bad_name' })
    const id = `${this.path}${escape(name)}[${escape(text)}]`
    if (this.#keyed.has(`${what} ${id}`)) {
      throw new RefusedError(`The key ${JSON.stringify(key)} of ${what} "${name}" is used a second time: keys must be different.`, { code: 'same_key_twice' })
    }
    this.#keyed.add(`${what} ${id}`)
    return { id, release: () => undefined }
  }
}

function checkName(what: string, name: string): void {
  if (typeof name !== 'string' || name.trim() === '' || name.length > NAME_MAX) {
    throw new RefusedError(`The name of a ${what} is ${JSON.stringify(name)}: give a text of 1 to ${NAME_MAX} characters.`, { code: 'bad_name' })
  }
}

function escape(text: string): string {
  return text.replace(/[%/#[\]$]/g, (sign) => `%${sign.charCodeAt(0).toString(16)}`)
}
