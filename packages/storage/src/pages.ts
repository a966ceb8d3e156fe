/** All pages of a list that is read behind the key of its last item, until a page is empty. */
export async function* pagesOf<T>(read: (after: string | null) => Promise<readonly T[]>, keyOf: (item: T) => string): AsyncGenerator<readonly T[]> {
  for (let after: string | null = null; ;) {
    const page = await read(after)
    const last = page.at(-1)
    if (!last) return
    yield page
    after = keyOf(last)
  }
}
