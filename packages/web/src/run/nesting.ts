import { plainName, type Span, type StepTry } from './spans.ts'

/** A group of the flow, as the stretch from the first to the last thing in it. */
export type GroupSpan = { readonly id: string; readonly kind: 'group'; readonly name: string; readonly start: number; readonly end: number | null }

/** A row of the waterfall. `folds`: how many rows it can hide, and whether they are hidden now. `earlier`: it stands for a try that does not count any more. */
export type Row = {
  readonly key: string
  readonly depth: number
  readonly span: Span | GroupSpan
  readonly folds: number
  readonly folded: boolean
  readonly earlier?: StepTry
}

/** What a person has folded and unfolded; of what is in neither, groups and steps show what is in them, and earlier tries are hidden. */
export type Folding = { readonly closed: ReadonlySet<string>; readonly tries: ReadonlySet<string> }

type Node = { readonly span: Span | GroupSpan; readonly kids: Node[] }

/** The rows of spans, in the order in which they began: what is in a group or a step below it, its earlier tries between. */
export function rowsOf(spans: readonly Span[], { closed, tries }: Folding): Row[] {
  const rows: Row[] = []
  const add = ({ span, kids }: Node, depth: number): void => {
    const earlier = span.kind === 'step' ? span.tries.slice(0, -1) : []
    const folded = closed.has(span.id)
    rows.push({ key: span.id, depth, span, folds: kids.length, folded })
    if (tries.has(span.id)) {
      for (const one of earlier)
        rows.push({ key: `${span.id} ${one.epoch} ${one.number} ${one.start}`, depth: depth + 1, span, folds: 0, folded: false, earlier: one })
    }
    if (!folded) for (const kid of kids) add(kid, depth + 1)
  }
  for (const node of treeOf(spans)) add(node, 0)
  return rows
}

/** Every id that can be folded. */
export function foldable(spans: readonly Span[]): string[] {
  const found: string[] = []
  const look = ({ span, kids }: Node): void => {
    if (kids.length > 0) found.push(span.id)
    for (const kid of kids) look(kid)
  }
  for (const node of treeOf(spans)) look(node)
  return found
}

function treeOf(spans: readonly Span[]): Node[] {
  const top: Node[] = []
  const nodes = new Map<string, Node>()
  const within = (path: readonly string[]): Node[] => {
    if (path.length === 0) return top
    const id = `group:${path.join('/')}`
    const known = nodes.get(id)
    if (known) return known.kids
    const node: Node = { span: { id, kind: 'group', name: plainName(path.at(-1) ?? ''), start: 0, end: 0 }, kids: [] }
    nodes.set(id, node)
    within(path.slice(0, -1)).push(node)
    return node.kids
  }
  for (const span of spans) {
    const node: Node = { span, kids: [] }
    nodes.set(span.id, node)
    const parent = span.parent === null ? undefined : nodes.get(span.parent)
    ;(parent?.kids ?? within(span.path)).push(node)
  }
  return top.map(measured).toSorted(byStart)
}

/** Groups with the stretch of what is in them; all in the order of their starts. */
function measured({ span, kids }: Node): Node {
  const inside = kids.map(measured).toSorted(byStart)
  if (span.kind !== 'group') return { span, kids: inside }
  const ends = inside.map((kid) => kid.span.end)
  const end = ends.includes(null) ? null : Math.max(...ends.map(Number))
  return { span: { ...span, start: inside[0]?.span.start ?? 0, end }, kids: inside }
}

function byStart(a: Node, b: Node): number {
  return a.span.start - b.span.start
}
