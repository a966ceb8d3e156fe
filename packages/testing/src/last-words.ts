const tellers = new Set<() => string | Promise<string>>()

/** Has a test of this file that fails tell also what `tell` says then (what a page shows, the end of a log), until the result is called. */
export function tellOnFailure(tell: () => string | Promise<string>): () => void {
  tellers.add(tell)
  return () => void tellers.delete(tell)
}

/** What all tellers say; a teller that cannot say anything any more is left out. */
export async function lastWords(): Promise<readonly string[]> {
  const said = await Promise.allSettled([...tellers].map(async (tell) => tell()))
  return said.flatMap((one) => (one.status === 'fulfilled' && one.value.trim() !== '' ? [one.value] : []))
}
