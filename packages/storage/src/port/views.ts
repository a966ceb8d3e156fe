/** Filters of a list under a name of their owner's. `search`: what the address of the list says, by name. `shared`: everybody sees it. Times are unix seconds. */
export type SavedView = {
  readonly id: string
  readonly userId: string
  readonly name: string
  readonly search: Readonly<Record<string, string>>
  readonly shared: boolean
  readonly savedAt: number
}

/** A view as a list shows it, with its owner's name. */
export type ListedView = SavedView & { readonly user: string }

/** The views that people keep. Each has a name once among its owner's. */
export interface ViewStore {
  /** What somebody sees: their own and what others share, by name. */
  list(userId: string): Promise<readonly ListedView[]>
  /** Keeps a view; an older one of the same owner and name gets its content and keeps its id. Gives the id. */
  put(view: SavedView): Promise<string>
  /** Of this owner; null: of anybody, if it is shared. */
  delete(id: string, userId: string | null): Promise<boolean>
}
