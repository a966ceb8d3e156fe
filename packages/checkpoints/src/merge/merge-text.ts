import { diffArrays } from 'diff'

/** Which side has its way where both changed the same lines. `mark`: neither; the place is marked as git does. */
export type Preference = 'ours' | 'theirs' | 'mark'

/** A merged text. `conflicts`: how many places both changed differently. */
export type MergedText = { readonly text: string; readonly conflicts: number }

/** Three-way merge by lines: what one side changed is taken, what both changed alike is taken once, what both changed differently goes by the preference. */
export function mergeText(base: string, ours: string, theirs: string, preference: Preference): MergedText {
  const [o, a, b] = [linesOf(base), linesOf(ours), linesOf(theirs)]
  const [toA, toB] = [kept(o, a), kept(o, b)]
  const out: string[] = []
  let conflicts = 0
  let [i, j, k] = [0, 0, 0]
  const flush = (o2: number, a2: number, b2: number): void => {
    const chunk = resolve(o.slice(i, o2), a.slice(j, a2), b.slice(k, b2), preference)
    out.push(...chunk.lines)
    conflicts += chunk.conflict ? 1 : 0
    ;[i, j, k] = [o2, a2, b2]
  }
  for (let at = 0; at < o.length; at++) {
    const [inA, inB] = [toA[at], toB[at]]
    if (inA === undefined || inB === undefined) continue
    if (at > i || inA > j || inB > k) flush(at, inA, inB)
    out.push(o[at] ?? '')
    ;[i, j, k] = [at + 1, inA + 1, inB + 1]
  }
  if (i < o.length || j < a.length || k < b.length) flush(o.length, a.length, b.length)
  return { text: out.join(''), conflicts }
}

function resolve(
  base: readonly string[],
  ours: readonly string[],
  theirs: readonly string[],
  preference: Preference,
): { lines: readonly string[]; conflict: boolean } {
  if (same(ours, theirs) || same(theirs, base)) return { lines: ours, conflict: false }
  if (same(ours, base)) return { lines: theirs, conflict: false }
  if (preference === 'mark') return { lines: ['<<<<<<< ours\n', ...ended(ours), '=======\n', ...ended(theirs), '>>>>>>> theirs\n'], conflict: true }
  return { lines: preference === 'ours' ? ours : theirs, conflict: true }
}

/** Where each line of the base is in the other text, undefined where it is not. */
function kept(base: readonly string[], other: readonly string[]): (number | undefined)[] {
  const places: (number | undefined)[] = []
  let at = 0
  for (const { added, removed, count } of diffArrays([...base], [...other])) {
    for (let n = 0; n < count; n++) if (!added) places.push(removed ? undefined : at + n)
    if (!removed) at += count
  }
  return places
}

/** Lines with their ends, so that texts with and without a last one come back as they were. */
function linesOf(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? []
}

function ended(lines: readonly string[]): string[] {
  return lines.map((line) => (line.endsWith('\n') ? line : `${line}\n`))
}

function same(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((line, i) => line === b[i])
}
