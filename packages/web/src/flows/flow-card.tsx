import type { Flow } from '@koco/core/api'
import { Badge, Card, Group, Text, Title, Tooltip } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import type { RunRow } from '../api/shapes.ts'
import { duration, moment } from '../show/format.ts'
import { STATUS_LOOK } from '../show/status.tsx'
import { Ago } from '../show/time.tsx'
import classes from './flow-card.module.css'

const TAGS_SHOWN = 3

/** A flow in the catalogue; the whole card leads to its page. */
export function FlowCard({ flow, last, usual }: { readonly flow: Flow; readonly last: readonly RunRow[]; readonly usual: number | null }) {
  return (
    <Card withBorder padding="md" className={classes['card']}>
      <Group justify="space-between" align="flex-start" wrap="nowrap" gap="xs">
        <Title order={2} title={flow.name} className={classes['name']}>
          <Link to="/flows/$name" params={{ name: flow.name }} className={classes['link']}>
            {flow.name}
          </Link>
        </Title>
        <Liveness flow={flow} />
      </Group>
      <Text mt={6} lineClamp={3} className={classes['summary']}>
        {flow.summary || 'No summary.'}
      </Text>
      <Group gap={6} mt="auto" pt="md" justify="space-between">
        {last.length > 0 && (
          <Group gap="xs" wrap="nowrap">
            <LastRuns runs={last} />
            {usual !== null && (
              <Text size="xs" c="dimmed" className={classes['usual']} title="Half of the runs that finished in the last 30 days took no longer">
                {duration(usual)}
              </Text>
            )}
          </Group>
        )}
        <Group gap={6}>
          {flow.tags.slice(0, TAGS_SHOWN).map((tag) => (
            <Badge key={tag} variant="default" size="sm" radius="sm" tt="none" fw={500}>
              {tag}
            </Badge>
          ))}
          {flow.tags.length > TAGS_SHOWN && (
            <Text size="xs" c="dimmed" title={flow.tags.slice(TAGS_SHOWN).join(', ')}>
              and {flow.tags.length - TAGS_SHOWN} more
            </Text>
          )}
        </Group>
        <FlowOrigin flow={flow} />
      </Group>
    </Card>
  )
}

/** The outcome of the last runs, the newest at the right, each a mark that leads to its run. */
function LastRuns({ runs }: { readonly runs: readonly RunRow[] }) {
  return (
    <span className={classes['last']}>
      {runs.toReversed().map((run) => (
        <Link
          key={run.fid}
          to="/runs/$fid"
          params={{ fid: run.fid }}
          className={classes['mark']}
          style={{ background: `var(--mantine-color-${STATUS_LOOK[run.status].color}-filled)` }}
          title={`${STATUS_LOOK[run.status].label}, ${moment(run.created_at)}`}
          aria-label={`Run ${run.fid.slice(-8)}: ${STATUS_LOOK[run.status].label}`}
        />
      ))}
    </span>
  )
}

/** Author and version on one quiet line; nothing when neither is known. */
export function FlowOrigin({ flow }: { readonly flow: Flow }) {
  const parts = [flow.author, flow.version === null ? null : `v${flow.version}`].filter((part) => part !== null)
  return parts.length === 0 ? null : (
    <Text size="xs" c="dimmed">
      {parts.join(' · ')}
    </Text>
  )
}

/** Whether somebody serves the flow now; a cold flow is listed but a run of it waits. */
export function Liveness({ flow }: { readonly flow: Flow }) {
  const seen = Math.max(0, ...flow.workers.map((worker) => worker.seen_at))
  if (flow.live) {
    return (
      <Tooltip label={servedBy(flow)}>
        <Badge variant="dot" color="teal" size="sm" tt="none" fw={500} className={classes['live']}>
          live
        </Badge>
      </Tooltip>
    )
  }
  return (
    <Tooltip label="No process serves this flow now; a run of it would wait for one.">
      <Badge variant="dot" color="gray" size="sm" tt="none" fw={500} className={classes['live']}>
        cold
        {seen > 0 && (
          <>
            , seen <Ago at={seen} />
          </>
        )}
      </Badge>
    </Tooltip>
  )
}

/** How many processes serve which version; they differ while a new one is being brought in. */
function servedBy(flow: Flow): string {
  const live = flow.workers.filter((worker) => worker.live)
  if (live.length === 0) return 'Served by this process.'
  const versions = Map.groupBy(live, ({ version }) => version)
  const parts = [...versions].map(
    ([version, workers]) => `${workers.length} ${workers.length === 1 ? 'process' : 'processes'}${version === null ? '' : ` on v${version}`}`,
  )
  return `Served by ${parts.join(', ')}.`
}
