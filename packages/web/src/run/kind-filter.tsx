import { Chip, Group } from '@mantine/core'
import { count } from '../show/format.ts'
import classes from './kind-filter.module.css'

type Props = {
  readonly counts: ReadonlyMap<string, number>
  readonly chosen: ReadonlySet<string> | null
  readonly choose: (kinds: ReadonlySet<string> | null) => void
}

/** Chooses the kinds that the timeline shows; none chosen means all. */
export function KindFilter({ counts, chosen, choose }: Props) {
  const kinds = [...new Set([...counts.keys(), ...(chosen ?? [])])].filter((kind) => (counts.get(kind) ?? 0) > 0 || chosen?.has(kind))
  if (kinds.length < 2) return null
  const toggle = (kind: string) => {
    const next = new Set(chosen ?? [])
    if (!next.delete(kind)) next.add(kind)
    choose(next.size === 0 ? null : next)
  }
  return (
    <Group gap={6} className={classes['kinds'] ?? ''} role="group" aria-label="Kinds shown">
      <Chip size="xs" checked={chosen === null} onChange={() => choose(null)} variant="light">
        All
      </Chip>
      {kinds.toSorted().map((kind) => (
        <Chip key={kind} size="xs" checked={chosen?.has(kind) ?? false} onChange={() => toggle(kind)} variant="light">
          {kind} {count(counts.get(kind) ?? 0)}
        </Chip>
      ))}
    </Group>
  )
}
