import { hash } from 'node:crypto'
import { canonicalJson } from '@koco/core'
import { jsonOf } from '../value.ts'

/** A hex digest over texts, `length` digits of SHA-256. */
export function digest(parts: readonly (string | number)[], length: number): string {
  return hash('sha256', parts.join('\0'), 'hex').slice(0, length)
}

/** The hash under which a declared input is kept: equal JSON gives equal hashes. */
export function inputHash(input: unknown, what: string): string {
  return digest([canonicalJson(jsonOf(input, what))], 16)
}
