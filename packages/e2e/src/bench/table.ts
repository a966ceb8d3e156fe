import type { Figure } from './figure.ts'

const HEADS = ['figure', 'value', 'baseline', 'ratio', 'goal', 'holds'] as const

/** The figures as a table for people. */
export function formatTable(figures: readonly Figure[]): string {
  const rows = [HEADS, ...figures.map(cells)]
  const widths = HEADS.map((_head, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)))
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

function cells(figure: Figure): string[] {
  const holds = figure.holds === null ? '' : figure.holds ? 'yes' : 'NO'
  return [
    figure.name,
    `${number(figure.figure)} ${figure.unit}`,
    figure.baseline === null ? '' : number(figure.baseline),
    figure.ratio === null ? '' : figure.ratio.toFixed(2),
    figure.goal,
    holds,
  ]
}

function number(value: number): string {
  if (value >= 1000) return Math.round(value).toLocaleString('en-US')
  return value >= 100 ? value.toFixed(0) : value.toFixed(2)
}
