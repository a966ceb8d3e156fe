/** A line for the operator. */
export type Log = (level: 'info' | 'warn' | 'error', message: string, details?: unknown) => void
