/** One page of a list and the cursor of the next, null at the end. */
export type Page<T> = { readonly items: readonly T[]; readonly next: string | null }
