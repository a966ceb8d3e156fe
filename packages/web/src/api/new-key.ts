/** A new Idempotency-Key. Random bytes in hex: `crypto.randomUUID` exists only on https and localhost, and people also open the page by an address of their network. */
export function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
