/** A line of two texts laid over each other: in both, only in the first, only in the second. */
export type DiffLine = { readonly in: 'both' | 'a' | 'b'; readonly text: string }

const LINES_MAX = 600

/** The lines of two texts, aligned by their longest common subsequence. Texts of more than 600 lines are not aligned: all of the first, then all of the second. */
export function diffLines(a: string, b: string): DiffLine[] {
  const [left, right] = [a.split('\n'), b.split('\n')]
  if (a === b) return left.map((text) => ({ in: 'both', text }))
  if (left.length > LINES_MAX || right.length > LINES_MAX) return [...only(left, 'a'), ...only(right, 'b')]
  const common = commonLengths(left, right)
  const lines: DiffLine[] = []
  let [i, j] = [0, 0]
  while (i < left.length && j < right.length) {
    const [x = '', y = ''] = [left[i], right[j]]
    if (x === y) {
      lines.push({ in: 'both', text: x })
      i++
      j++
    } else if ((common[i + 1]?.[j] ?? 0) >= (common[i]?.[j + 1] ?? 0)) {
      lines.push({ in: 'a', text: x })
      i++
    } else {
      lines.push({ in: 'b', text: y })
      j++
    }
  }
  return [...lines, ...only(left.slice(i), 'a'), ...only(right.slice(j), 'b')]
}

function only(lines: readonly string[], which: 'a' | 'b'): DiffLine[] {
  return lines.map((text) => ({ in: which, text }))
}

/** How long the longest common subsequence is from each pair of lines on. */
function commonLengths(left: readonly string[], right: readonly string[]): number[][] {
  const lengths = Array.from({ length: left.length + 1 }, () => Array.from({ length: right.length + 1 }, () => 0))
  for (let i = left.length - 1; i >= 0; i--) {
    const [row = [], below = []] = [lengths[i], lengths[i + 1]]
    for (let j = right.length - 1; j >= 0; j--) row[j] = left[i] === right[j] ? (below[j + 1] ?? 0) + 1 : Math.max(below[j] ?? 0, row[j + 1] ?? 0)
  }
  return lengths
}
