/** The rows of a table in text: fields separated by the mark that the first line has most of (comma, semicolon or tab), quoted as RFC 4180 says. At most `max` rows. */
export function parseTable(text: string, max: number): string[][] {
  const mark = separatorOf(text)
  const rows: string[][] = []
  let row: string[] = []
  let field = ''
  let quoted = false
  const endField = (): void => {
    row.push(field)
    field = ''
  }
  const endRow = (): void => {
    endField()
    if (row.length > 1 || row[0] !== '') rows.push(row)
    row = []
  }
  for (let at = text.startsWith('\uFEFF') ? 1 : 0; at < text.length && rows.length < max; at += 1) {
    const char = text[at] ?? ''
    if (quoted) {
      if (char !== '"') field += char
      else if (text[at + 1] === '"') field += text[(at += 1)] ?? ''
      else quoted = false
    } else if (char === '"' && field === '') quoted = true
    else if (char === mark) endField()
    else if (char === '\n') endRow()
    else if (char !== '\r' || text[at + 1] !== '\n') field += char
  }
  if (rows.length < max && (field !== '' || row.length > 0)) endRow()
  return rows
}

function separatorOf(text: string): string {
  const [first = ''] = text.split('\n', 1)
  const counts = [',', ';', '\t'].map((mark) => [mark, first.split(mark).length] as const)
  return counts.reduce((best, one) => (one[1] > best[1] ? one : best))[0]
}
