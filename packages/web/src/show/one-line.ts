/** Styles of breadcrumbs that stay on one line: the last of them is cut where there is no room. */
export const ONE_LINE = { root: { flexWrap: 'nowrap', minWidth: 0 }, breadcrumb: { minWidth: 0 }, separator: { flex: 'none' } } as const
