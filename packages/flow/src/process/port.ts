import type { Json } from '@koco/core'

/** What a program may use. It is ended when it goes beyond. */
export type ProcessLimits = {
  /** Resident memory of all its processes together, in bytes; looked at ten times a second. */
  readonly memoryBytes: number
  /** Processor time of all its processes together, in seconds. */
  readonly cpuS: number
  /** Time by the clock, in ms. */
  readonly wallMs: number
  /** What it writes to stdout and stderr together, in bytes. */
  readonly outputBytes: number
  /** What the workspace holds, in bytes; also of each file. */
  readonly diskBytes: number
}

/** The usual limits: 1 GiB, 10 minutes of processor time, 30 minutes, 16 MiB of output, 100 MiB in the workspace. */
export const defaultProcessLimits: ProcessLimits = {
  memoryBytes: 2 ** 30,
  cpuS: 600,
  wallMs: 1_800_000,
  outputBytes: 16 * 2 ** 20,
  diskBytes: 100 * 2 ** 20,
}

/** A program to run. */
export type ProcessOptions = {
  /** The program and its arguments, each as it is: no shell sees them. */
  readonly command: readonly [program: string, ...args: string[]]
  /** As of a step: for programs of one name that run side by side. */
  readonly key?: string | number
  /** The session in whose workspace it runs; default a workspace of this run alone. */
  readonly session?: string
  /** What it reads; default nothing. */
  readonly stdin?: string
  /** Variables besides PATH, HOME (the workspace), LANG and TERM; nothing else of koco's own environment reaches it. */
  readonly env?: Readonly<Record<string, string>>
  readonly limits?: Partial<ProcessLimits>
  /** Called for each line of stdout that is a JSON object; default each becomes an `action` event named `process`. Other lines become `stdout` and `stderr` events. */
  readonly onLine?: (line: { readonly [field: string]: Json }) => void
}

/** How a program ended by itself, or by a signal that was not ours. `stdout` and `stderr` are their last 16 KiB. */
export type ProcessResult = {
  readonly code: number | null
  readonly signal: string | null
  readonly stdout: string
  readonly stderr: string
  /** Lines of JSON that it wrote. */
  readonly lines: number
  readonly durationS: number
}
