/** Filters of the list of runs under a name. `search`: what the list's address says behind its `?`, by name. `shared`: everybody sees it; `mine`: it is of the person who asks, else of `user`. */
export type SavedView = {
  readonly id: string
  readonly name: string
  readonly search: Readonly<Record<string, string>>
  readonly shared: boolean
  readonly mine: boolean
  readonly user: string
  readonly saved_at: number
}
