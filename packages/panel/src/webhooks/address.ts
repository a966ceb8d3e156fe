import { RefusedError } from '@koco/core'
import ipaddr from 'ipaddr.js'
import { lookup } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'

/** Says where webhooks may not go. */
export class PrivateAddressError extends Error {
  override readonly name = 'PrivateAddressError'

  constructor(host: string) {
    super(`${host} is an address of this machine or of a private network, where webhooks do not go unless KODO_WEBHOOK_PRIVATE=on`)
  }
}

/**
 * Parses the address of a webhook. RefusedError `bad_webhook_url` for one that is no plain web address, and, unless private addresses are allowed, for http and for an address that is private as it stands. What a name
 * stands for is checked when it is called.
 */
export function parseWebhookUrl(text: string, isPrivateAllowed: boolean): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || (url.protocol !== 'https:' && url.protocol !== 'http:')) throw refused('It must be a web address, like https://example.com/koco.')
  if (url.username !== '' || url.password !== '')
    throw refused('A name or password in the address would be shown to everybody who sees it; check the signature instead.')
  if (url.hash !== '') throw refused('What follows # is never sent; leave it out.')
  if (isPrivateAllowed) return url
  if (url.protocol === 'http:') throw refused('It must be https: what is sent over http can be read on the way.')
  const host = hostOf(url)
  if (host === 'localhost' || host.endsWith('.localhost') || (isIP(host) !== 0 && !isPublic(host))) throw refused(`${new PrivateAddressError(host).message}.`)
  return url
}

/** The host of an address; that of an IPv6 address without its brackets. */
export function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '')
}

/** True for an address that any host on the internet could have: not loopback, link-local, private, shared, multicast, reserved, nor one of these within IPv6. */
export function isPublic(address: string): boolean {
  return ipaddr.isValid(address) && ipaddr.process(address).range() === 'unicast'
}

/** Looks names up like the system does, and refuses one of which any address is private: what was checked is what is connected to. */
export const publicLookup: LookupFunction = (host, options, callback) => {
  lookup(host, { ...options, all: true }, (error, found) => {
    if (error) return callback(error, '', 0)
    if (found.length === 0 || found.some(({ address }) => !isPublic(address))) return callback(new PrivateAddressError(host), '', 0)
    const [first] = found
    if (options.all) callback(null, found)
    else callback(null, first?.address ?? '', first?.family ?? 0)
  })
}

function refused(why: string): RefusedError {
  return new RefusedError(`Webhooks cannot go there. ${why}`, { code: 'bad_webhook_url' })
}
