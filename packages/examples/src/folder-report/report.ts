import type { FilesRead } from './read-files.ts'

/** What a report is about. */
export type Report = { readonly folder: string; readonly files: number; readonly bytes: number; readonly read: FilesRead; readonly cutAt: number | null }

const LANGUAGES_SHOWN = 25

/** The report as Markdown. */
export function reportMarkdown({ folder, files, bytes, read, cutAt }: Report): string {
  const { binary, huge, gone } = read.skipped
  const languages = Object.entries(read.languages).toSorted(([, a], [, b]) => b.lines - a.lines)
  const lines = languages.reduce((sum, [, language]) => sum + language.lines, 0)
  const rows = languages.slice(0, LANGUAGES_SHOWN).map(([name, sum]) => [name, count(sum.files), count(sum.lines), size(sum.bytes), share(sum.lines, lines)])
  const parts = [
    `# ${cell(folder)}`,
    `${count(files)} files, ${size(bytes)}; ${count(lines)} lines of text. Not read: ${count(binary)} binary, ${count(huge)} huge, ${count(gone)} vanished or not readable.`,
    ...(cutAt === null ? [] : [`**Only the first ${count(cutAt)} files were looked at.**`]),
    '## Languages',
    table(['language', 'files', 'lines', 'size', 'share of lines'], rows),
    '## Longest files',
    table(
      ['file', 'lines'],
      read.longest.map(({ path, lines }) => [`\`${path.replaceAll('`', "'")}\``, count(lines)]),
    ),
  ]
  return parts.join('\n\n')
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`
  return [line(head), `| ${head.map((_, column) => (column === 0 ? '---' : '---:')).join(' | ')} |`, ...rows.map(line)].join('\n')
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ')
}

function count(value: number): string {
  return value.toLocaleString('en-US')
}

function share(part: number, whole: number): string {
  return whole === 0 ? '–' : `${((100 * part) / whole).toFixed(1)} %`
}

function size(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  const unit = bytes === 0 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10))
  return `${(bytes / 1024 ** unit).toFixed(unit === 0 ? 0 : 1)} ${units[unit]}`
}
