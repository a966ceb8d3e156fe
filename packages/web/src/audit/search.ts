import type { AuditFilter } from '../api/audit.ts'

/** The filter in the address; what is none is left out. */
export function auditSearch(search: Record<string, unknown>): AuditFilter {
  return Object.fromEntries(
    ['actor', 'action', 'target'].flatMap((name) => (typeof search[name] === 'string' && search[name] !== '' ? [[name, search[name]]] : [])),
  )
}
