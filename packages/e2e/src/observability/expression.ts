import { parser } from '@prometheus-io/lezer-promql'

/** A metric that an expression names, with the labels that it is filtered by. */
export type Selector = { readonly metric: string; readonly labels: readonly string[] }

/** The metrics of a PromQL expression, and the labels that it groups by. Throws for one that does not parse. Grafana's variables of time stand for five minutes. */
export function readExpression(expression: string): { readonly selectors: readonly Selector[]; readonly grouping: readonly string[] } {
  const text = expression.replaceAll('$__rate_interval', '5m')
  const selectors: { metric: string; labels: string[] }[] = []
  const grouping: string[] = []
  parser.parse(text).iterate({
    enter(node) {
      const word = text.slice(node.from, node.to)
      if (node.type.isError) throw new Error(`"${expression}" is no PromQL: it breaks at "${text.slice(node.from, node.from + 20)}"`)
      if (node.name === 'VectorSelector') selectors.push({ metric: '', labels: [] })
      if (node.name === 'Identifier' && node.node.parent?.name === 'VectorSelector') Object.assign(selectors.at(-1) ?? {}, { metric: word })
      if (node.name === 'LabelName') (node.node.parent?.name === 'GroupingLabels' ? grouping : (selectors.at(-1)?.labels ?? [])).push(word)
    },
  })
  return { selectors, grouping }
}

/** A family of the text format: its name, and the labels seen on its samples. */
export type Family = { readonly name: string; readonly labels: ReadonlySet<string> }

/** The families of what /metrics answers. A family without samples has no labels. */
export function readFamilies(text: string): Map<string, Family> {
  const families = new Map<string, { name: string; labels: Set<string> }>()
  for (const [, name = ''] of text.matchAll(/^# TYPE (\S+) /gm)) families.set(name, { name, labels: new Set() })
  for (const [, sample = '', labels = ''] of text.matchAll(/^([a-zA-Z_:][\w:]*)(?:\{([^}]*)\})? /gm)) {
    const family = families.get(sample) ?? families.get(sample.replace(/_(bucket|sum|count)$/, ''))
    for (const [, label = ''] of labels.matchAll(/(\w+)="/g)) family?.labels.add(label)
  }
  return families
}
