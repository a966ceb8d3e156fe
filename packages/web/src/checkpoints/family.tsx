import type { Checkpoint } from '@koco/core/api'
import { Anchor, Badge, Card, Group, Text, Title, VisuallyHidden } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { treeQuery } from '../api/checkpoints.ts'
import { Icon } from '../app/icons.tsx'
import { Failure, Loading } from '../app/states.tsx'
import { bytes } from '../show/format.ts'
import { Ago } from '../show/time.tsx'
import { CheckpointActions } from './actions.tsx'
import { AutoChoice } from './auto-choice.tsx'
import classes from './checkpoints.module.css'
import { layLanes, type Row } from './lanes.ts'

const ROW = 52
const LANE = 22
const COLOURS = ['indigo', 'teal', 'orange', 'grape', 'cyan', 'pink']

/** The branches that a session belongs to, newest first, as a drawing. */
export function Family({ session, chosen, choose }: { readonly session: string; readonly chosen: readonly string[]; readonly choose: (id: string) => void }) {
  const { data, error, isPending, refetch } = useQuery(treeQuery(session))
  if (error) return <Failure error={error} retry={() => void refetch()} />
  if (isPending) return <Loading what="branches" />
  const rows = layLanes(data.nodes)
  return (
    <Card withBorder padding="lg">
      <Group justify="space-between" mb="xs">
        <Title order={2}>Branches</Title>
        <AutoChoice session={session} />
      </Group>
      <Drawn rows={rows} chosen={chosen} choose={choose} />
    </Card>
  )
}

/** Checkpoints a line each; with lanes where they continue each other. */
export function Drawn({ rows, chosen, choose }: { readonly rows: readonly Row[]; readonly chosen: readonly string[]; readonly choose: (id: string) => void }) {
  const width = (1 + Math.max(0, ...rows.map(({ lane }) => lane))) * LANE + 10
  return (
    <div className={classes['tree']}>
      <svg className={classes['lines']} width={width} height={rows.length * ROW} aria-hidden="true">
        {rows.map((row, at) => row.to.map((target) => <Line key={`${row.checkpoint.id}-${target.row}`} from={{ lane: row.lane, row: at }} to={target} />))}
        {rows.map(({ checkpoint, lane }, at) => (
          <circle key={checkpoint.id} cx={x(lane)} cy={y(at)} r={6} fill={colour(lane)} stroke="var(--mantine-color-body)" strokeWidth={2} />
        ))}
      </svg>
      <ul className={classes['rows']}>
        {rows.map(({ checkpoint }) => (
          <li key={checkpoint.id} className={classes['row']} style={{ paddingLeft: width }} data-chosen={chosen.includes(checkpoint.id) || undefined}>
            <Words checkpoint={checkpoint} />
            <CheckpointActions checkpoint={checkpoint} isChosen={chosen.includes(checkpoint.id)} choose={choose} />
          </li>
        ))}
      </ul>
    </div>
  )
}

function Line({ from, to }: { readonly from: { readonly lane: number; readonly row: number }; readonly to: { readonly lane: number; readonly row: number } }) {
  const [x1, y1, x2, y2] = [x(from.lane), y(from.row), x(to.lane), y(to.row)]
  const bend = Math.min(ROW, y2 - y1)
  const lane = Math.max(from.lane, to.lane)
  // A branch goes down its own lane and turns off at the row where it parts; a merge turns at its top.
  const path =
    from.lane >= to.lane
      ? `M${x1} ${y1}V${y2 - bend}C${x1} ${y2 - bend / 2} ${x2} ${y2 - bend / 2} ${x2} ${y2}`
      : `M${x1} ${y1}C${x1} ${y1 + bend / 2} ${x2} ${y1 + bend / 2} ${x2} ${y1 + bend}V${y2}`
  return <path d={path} fill="none" stroke={colour(lane)} strokeWidth={2} />
}

function Words({ checkpoint }: { readonly checkpoint: Checkpoint }) {
  const { id, description, created_at, session_id, tags, lock, file_count, messages, added_bytes, origin } = checkpoint
  return (
    <div className={classes['words']}>
      <Group gap={6} wrap="nowrap">
        <Text fw={550} truncate title={description === '' ? id : description}>
          {description === '' ? `Checkpoint ${id.slice(2, 10)}` : description}
        </Text>
        {lock !== null && (
          <span title={`Locked by ${lock.by}${lock.reason === null ? '' : `: ${lock.reason}`}`}>
            <Icon name="lock" size={14} />
            <VisuallyHidden>locked</VisuallyHidden>
          </span>
        )}
        {origin === 'error' && (
          <Badge size="sm" color="red" variant="light" tt="none">
            after an error
          </Badge>
        )}
        {tags.slice(0, 4).map((tag) => (
          <Badge key={tag} size="sm" color="gray" variant="default" tt="none" visibleFrom="sm" style={{ flexShrink: 0 }}>
            {tag}
          </Badge>
        ))}
      </Group>
      <Text size="xs" c="dimmed" truncate>
        <Ago at={created_at} fz="inherit" /> · {messages} messages · {file_count} files · {bytes(added_bytes)} added · session{' '}
        <Anchor component={Link} to="/checkpoints" search={{ session: session_id } as never} size="xs" underline="always">
          {session_id}
        </Anchor>
      </Text>
    </div>
  )
}

function x(lane: number): number {
  return lane * LANE + 14
}

function y(row: number): number {
  return row * ROW + ROW / 2
}

function colour(lane: number): string {
  return `var(--mantine-color-${COLOURS[lane % COLOURS.length] ?? 'indigo'}-6)`
}
