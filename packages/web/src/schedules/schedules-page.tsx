import type { Schedule } from '@koco/core/api'
import { Anchor, Badge, Button, Card, Menu, Table, Text } from '@mantine/core'
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { newKey } from '../api/new-key.ts'
import { deleteSchedule, pauseSchedule, schedulesQuery, triggerSchedule } from '../api/schedules.ts'
import { meQuery } from '../api/session.ts'
import { notifyDone, notifyFailure } from '../app/notify.ts'
import { Page } from '../app/page.tsx'
import { Empty, Failure, Loading } from '../app/states.tsx'
import { duration } from '../show/format.ts'
import { Ago } from '../show/time.tsx'
import { RowTable } from '../show/wide-table.tsx'

/** What starts flows again and again: when, the last and the next start, pause, start now, delete. */
export function SchedulesPage() {
  const { data, error, isPending, refetch, hasNextPage, fetchNextPage } = useInfiniteQuery(schedulesQuery)
  const schedules = data?.pages.flatMap((page) => page.items) ?? []
  return (
    <Page title="Schedules" about="Flows that are started again and again.">
      {error && <Failure error={error} retry={() => void refetch()} />}
      {isPending && !error && <Loading what="schedules" />}
      {data && schedules.length === 0 && (
        <Empty title="No schedules yet" command="npx koco schedules create hello --cron '0 7 * * 1-5'">
          A schedule starts a flow by the clock of a time zone, or every so many minutes.
        </Empty>
      )}
      {schedules.length > 0 && (
        <Card withBorder padding="xs">
          <RowTable label="Schedules" minWidth={760} heads={['Schedule', 'Flow', 'When', 'Next start', 'Last start', 'Owner', '']}>
            {schedules.map((schedule) => (
              <ScheduleRow key={schedule.id} schedule={schedule} />
            ))}
          </RowTable>
        </Card>
      )}
      {hasNextPage && (
        <Button variant="default" onClick={() => void fetchNextPage()} style={{ alignSelf: 'center' }}>
          More
        </Button>
      )}
    </Page>
  )
}

function ScheduleRow({ schedule }: { readonly schedule: Schedule }) {
  return (
    <Table.Tr>
      <Table.Td fw={550}>{schedule.id}</Table.Td>
      <Table.Td>
        <Anchor component={Link} to="/flows/$name" params={{ name: schedule.flow } as never} inherit>
          {schedule.flow}
        </Anchor>
      </Table.Td>
      <Table.Td>
        {schedule.cron === null ? (
          `every ${duration(schedule.every_s ?? 0)}`
        ) : (
          <span>
            <code>{schedule.cron}</code>{' '}
            <Text inherit c="dimmed" span>
              {schedule.time_zone}
            </Text>
          </span>
        )}
      </Table.Td>
      <Table.Td>
        {schedule.paused && (
          <Badge color="gray" variant="dot" tt="none">
            paused
          </Badge>
        )}
        {!schedule.paused && (schedule.next_at === null ? 'none' : <Ago at={schedule.next_at} fz="inherit" />)}
      </Table.Td>
      <Table.Td maw={260}>
        {(schedule.last_at !== null || schedule.problem !== null) && (
          <div>
            {schedule.last_at !== null && <LastStart at={schedule.last_at} fid={schedule.last_fid} />}
            {schedule.problem !== null && (
              <Text size="xs" c="var(--mantine-color-error)" style={{ overflowWrap: 'anywhere' }}>
                {schedule.problem}
              </Text>
            )}
          </div>
        )}
      </Table.Td>
      <Table.Td>{schedule.user}</Table.Td>
      <Table.Td ta="right">
        <Actions schedule={schedule} />
      </Table.Td>
    </Table.Tr>
  )
}

function LastStart({ at, fid }: { readonly at: number; readonly fid: string | null }) {
  if (fid === null) return <Ago at={at} fz="inherit" />
  return (
    <Anchor component={Link} to="/runs/$fid" params={{ fid } as never} inherit>
      <Ago at={at} fz="inherit" />
    </Anchor>
  )
}

function Actions({ schedule }: { readonly schedule: Schedule }) {
  const { data: me } = useQuery(meQuery)
  const client = useQueryClient()
  const navigate = useNavigate()
  const settled = () => client.invalidateQueries({ queryKey: schedulesQuery.queryKey })
  const act = useMutation({
    mutationFn: ({ work }: { readonly work: () => Promise<unknown>; readonly done: string }) => work(),
    onSuccess: (_, { done }) => notifyDone(done),
    onError: (error) => notifyFailure(`Could not do that to ${schedule.id}`, error),
    onSettled: settled,
  })
  const start = useMutation({
    mutationFn: () => triggerSchedule(schedule.id, newKey()),
    onSuccess: ({ fid }) => void navigate({ to: '/runs/$fid', params: { fid } as never }),
    onError: (error) => notifyFailure(`Could not start ${schedule.id}`, error),
  })
  if (me?.user.role === 'viewer') return null
  const { id, paused } = schedule
  return (
    <Menu position="bottom-end" withArrow>
      <Menu.Target>
        <Button size="xs" variant="default" loading={act.isPending || start.isPending} aria-label={`Actions on ${id}`}>
          Actions
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item onClick={() => start.mutate()}>Start a run now</Menu.Item>
        <Menu.Item onClick={() => act.mutate({ work: () => pauseSchedule(id, !paused), done: paused ? `${id} goes on.` : `${id} is paused.` })}>
          {paused ? 'Resume' : 'Pause'}
        </Menu.Item>
        <Menu.Divider />
        <Menu.Item color="red" onClick={() => act.mutate({ work: () => deleteSchedule(id), done: `${id} is deleted; its runs go on.` })}>
          Delete
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
}
