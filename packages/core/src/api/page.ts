/** A page of a list; `next` is the `after` of the next one, null at the end. */
export type Page<T> = { readonly items: readonly T[]; readonly next: string | null }
