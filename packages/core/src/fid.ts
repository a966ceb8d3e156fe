const PATTERN = /^[0-9a-f]{24}$/

/** A new run id: 24 lower-case hex digits, the first 8 its start in unix seconds. `random` is 8 random bytes. */
export function newFid(nowMs: number, random: Uint8Array): string {
  const start = Math.floor(nowMs / 1000)
    .toString(16)
    .padStart(8, '0')
  const rest = Array.from(random.subarray(0, 8), (byte) => byte.toString(16).padStart(2, '0')).join('')
  return start + rest
}

/** True for a well-formed run id; everything else (paths, upper case, other lengths) is refused at the edge. */
export function isFid(text: string): boolean {
  return PATTERN.test(text)
}
