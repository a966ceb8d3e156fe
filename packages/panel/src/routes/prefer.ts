/** The seconds that a `Prefer` header (RFC 7240) asks to wait, at most `maxS`; undefined when it asks for no wait. */
export function preferredWaitS(header: string | string[] | undefined, maxS: number): number | undefined {
  if (header === undefined) return undefined
  const match = /(?:^|[,;\s])wait\s*=\s*"?(\d{1,9})"?\s*(?:$|[,;])/i.exec(Array.isArray(header) ? header.join(',') : header)
  return match ? Math.min(Number(match[1]), maxS) : undefined
}
