import type { Io } from './io.ts'

/** How lists are printed. */
export type OutputForm = 'table' | 'json' | 'ids'

/** A column of a table: its title and the text of its cell. */
export type Column<T> = { readonly title: string; cell(item: T): string | number | null }

const CELL_MAX = 60

/** Prints items: as an aligned table (`empty` when there are none), as JSON, or their ids a line. */
export function printItems<T>(
  io: Io,
  form: OutputForm,
  items: readonly T[],
  view: { id(item: T): string; columns: readonly Column<T>[]; empty: string },
): void {
  if (form === 'json') io.out(JSON.stringify(items, null, 2))
  else if (form === 'ids') for (const item of items) io.out(view.id(item))
  else if (items.length === 0) io.out(view.empty)
  else io.out(tableText(io, items, view.columns))
}

/** Prints one object: name and value a line, as JSON, or its id. */
export function printItem(io: Io, form: OutputForm, id: string, item: object): void {
  if (form === 'json') io.out(JSON.stringify(item, null, 2))
  else if (form === 'ids') io.out(id)
  else {
    const entries = Object.entries(item).filter(([, value]) => value !== null && value !== undefined)
    const width = Math.max(...entries.map(([name]) => name.length))
    for (const [name, value] of entries) io.out(`${dim(io, name.padEnd(width))}  ${typeof value === 'string' ? value : JSON.stringify(value)}`)
  }
}

/** A unix time as a person's local date and time. */
export function timeText(seconds: number | null): string {
  return seconds === null ? '' : new Date(seconds * 1000).toLocaleString('sv-SE')
}

/** Text that steps back, on a terminal with colours. */
export function dim(io: Io, text: string): string {
  return io.colours ? `\u001b[2m${text}\u001b[22m` : text
}

/** Text that stands out, on a terminal with colours. */
export function bold(io: Io, text: string): string {
  return io.colours ? `\u001b[1m${text}\u001b[22m` : text
}

function tableText<T>(io: Io, items: readonly T[], columns: readonly Column<T>[]): string {
  const rows = items.map((item) => columns.map((column) => shorten(String(column.cell(item) ?? ''))))
  const widths = columns.map((column, index) => Math.max(column.title.length, ...rows.map((row) => row[index]?.length ?? 0)))
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, index) => cell.padEnd(widths[index] ?? 0))
      .join('  ')
      .trimEnd()
  return [dim(io, line(columns.map((column) => column.title))), ...rows.map(line)].join('\n')
}

// Control characters would let a run's text move the cursor of whoever lists it.
function shorten(text: string): string {
  const plain = text.replaceAll(/\p{Cc}+/gu, ' ')
  return plain.length > CELL_MAX ? `${plain.slice(0, CELL_MAX - 1)}…` : plain
}
