import type { AdminStore, SigningKey } from '@koco/storage'
import { calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, type CryptoKey, type JWK } from 'jose'
import { must } from '@koco/core'
import type { Seal } from '../auth/seal.ts'

/** A key signs for so long, its successor is published so long before it begins, and it is published for so long after that. Seconds. */
export const SIGNS_S = 30 * 86_400
export const PUBLISHED_BEFORE_S = 3_600
export const KEPT_S = 86_400

/** The keys that sign access tokens, shared by the panels over one admin store and changed by themselves in time. */
export type SigningKeys = {
  /** The key that signs now; made when there is none. */
  current(): Promise<{ readonly kid: string; readonly key: CryptoKey }>
  /** The public key of this id, while it is published. */
  find(kid: string): Promise<CryptoKey | undefined>
  /** What others check tokens with (RFC 7517): the old key, the one that signs, the next. */
  published(): Promise<{ readonly keys: readonly JWK[] }>
  /** Takes all keys away and signs with a new one: every access token is refused from now on, in other panels within seconds. */
  replace(): Promise<void>
}

type Opened = { readonly kid: string; readonly signsFrom: number; readonly key: CryptoKey; readonly publicKey: CryptoKey; readonly jwk: JWK }

const FRESH_MS = 10_000
const UNKNOWN_MS = 1_000

/** Keys over the admin store; private keys lie there sealed, so that who can write into it cannot sign. */
export function createSigningKeys(admin: AdminStore, seal: Seal, clock: () => number): SigningKeys {
  const known = new Map<string, Opened>()
  let last: { readonly atMs: number; readonly keys: Promise<readonly Opened[]> } | undefined

  function loaded(maxAgeMs = FRESH_MS): Promise<readonly Opened[]> {
    if (last && clock() - last.atMs < maxAgeMs) return last.keys
    const keys = load()
    last = { atMs: clock(), keys }
    // A failure is not kept.
    keys.catch(() => (last = undefined))
    return keys
  }

  async function load(): Promise<readonly Opened[]> {
    const nowS = clock() / 1000
    const keys = await openAll(await admin.signingKeys.list())
    const newest = keys.at(-1)
    if (newest && newest.signsFrom + SIGNS_S - PUBLISHED_BEFORE_S > nowS) return dropOld(keys, nowS)
    const made = await makeKey(seal, nowS, newest ? nowS + PUBLISHED_BEFORE_S : nowS)
    await admin.signingKeys.add(made)
    // Another panel may have made one at the same time: both are published, the newest signs.
    return dropOld(await openAll(await admin.signingKeys.list()), nowS)
  }

  async function openAll(stored: readonly SigningKey[]): Promise<Opened[]> {
    const opened: Opened[] = []
    for (const one of stored) {
      const key = known.get(one.kid) ?? (await openKey(seal, one))
      if (key) opened.push(key)
      if (key) known.set(one.kid, key)
    }
    for (const kid of known.keys()) if (!opened.some((one) => one.kid === kid)) known.delete(kid)
    return opened
  }

  async function dropOld(keys: readonly Opened[], nowS: number): Promise<readonly Opened[]> {
    const isOver = (index: number): boolean => (keys[index + 1]?.signsFrom ?? Infinity) + KEPT_S <= nowS
    const over = keys.filter((_, index) => isOver(index)).map(({ kid }) => kid)
    await admin.signingKeys.delete(over)
    return keys.filter(({ kid }) => !over.includes(kid))
  }

  return {
    async current() {
      const keys = await loaded()
      const signing = keys.findLast(({ signsFrom }) => signsFrom <= clock() / 1000) ?? keys[0]
      return must(signing, 'the signing key')
    },
    async find(kid) {
      const found = (await loaded()).find((one) => one.kid === kid) ?? (await loaded(UNKNOWN_MS)).find((one) => one.kid === kid)
      return found?.publicKey
    },
    async published() {
      return { keys: (await loaded()).map(({ jwk }) => jwk) }
    },
    async replace() {
      const old = await admin.signingKeys.list()
      const nowS = clock() / 1000
      await admin.signingKeys.add(await makeKey(seal, nowS, nowS))
      await admin.signingKeys.delete(old.map(({ kid }) => kid))
      last = undefined
    },
  }
}

async function makeKey(seal: Seal, createdAt: number, signsFrom: number): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair('RS256', { modulusLength: 2048, extractable: true })
  const kid = await calculateJwkThumbprint(await exportJWK(publicKey))
  return { kid, sealed: seal.seal(JSON.stringify({ kid, ...(await exportJWK(privateKey)) })), createdAt, signsFrom }
}

/** A key that was sealed under another installation key, or put there by a stranger, is none. */
async function openKey(seal: Seal, { kid, sealed, signsFrom }: SigningKey): Promise<Opened | undefined> {
  const text = seal.open(sealed)
  if (text === undefined) return undefined
  const { kid: within, ...secret } = JSON.parse(text) as JWK
  if (within !== kid) return undefined
  const { kty, n, e } = secret
  const jwk = { kty: must(kty, 'kty'), n: must(n, 'n'), e: must(e, 'e'), kid, alg: 'RS256', use: 'sig' }
  const [key, publicKey] = await Promise.all([importJWK(secret, 'RS256'), importJWK(jwk, 'RS256')])
  return { kid, signsFrom, key: key as CryptoKey, publicKey: publicKey as CryptoKey, jwk }
}
