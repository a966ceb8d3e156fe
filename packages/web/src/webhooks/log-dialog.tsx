import type { Webhook, WebhookDelivery } from '@koco/core/api'
import { Anchor, Badge, Button, Modal, Table, Text } from '@mantine/core'
import { useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { deliveriesQuery, resendNotice } from '../api/webhooks.ts'
import { notifyFailure } from '../app/notify.ts'
import { Empty, Failure, Loading } from '../app/states.tsx'
import { Ago } from '../show/time.tsx'
import { RowTable } from '../show/wide-table.tsx'
import { eventLabel } from './events.ts'

const COLORS = { waiting: 'yellow', delivered: 'teal', failed: 'red' } as const

/** What was sent to a webhook and how it went; each notice can be sent again. */
export function LogDialog({ webhook, close }: { readonly webhook: Webhook; readonly close: () => void }) {
  const { data, error, refetch, hasNextPage, fetchNextPage } = useInfiniteQuery(deliveriesQuery(webhook.id))
  const notices = data?.pages.flatMap((page) => page.items) ?? []
  return (
    <Modal opened onClose={close} title={`Sent to ${webhook.url}`} styles={{ title: { overflowWrap: 'anywhere', minWidth: 0 } }} size="xl" centered>
      {error && <Failure error={error} retry={() => void refetch()} />}
      {!data && !error && <Loading what="notices" />}
      {data && notices.length === 0 && <Empty title="Nothing was sent yet">“Send a test” shows at once whether notices arrive.</Empty>}
      {notices.length > 0 && (
        <RowTable label="Notices" minWidth={620} heads={['Event', 'When', 'State', '']}>
          {notices.map((notice) => (
            <NoticeRow key={notice.id} webhook={webhook} notice={notice} />
          ))}
        </RowTable>
      )}
      {hasNextPage && (
        <Button variant="default" mt="sm" onClick={() => void fetchNextPage()}>
          More
        </Button>
      )}
    </Modal>
  )
}

function NoticeRow({ webhook, notice }: { readonly webhook: Webhook; readonly notice: WebhookDelivery }) {
  const client = useQueryClient()
  const resend = useMutation({
    mutationFn: () => resendNotice(webhook.id, notice.id),
    onError: (error) => notifyFailure('Could not send it again', error),
    onSettled: () => client.invalidateQueries({ queryKey: deliveriesQuery(webhook.id).queryKey }),
  })
  const { fid, state, problem, attempts } = notice
  return (
    <Table.Tr>
      <Table.Td>
        <div>
          {eventLabel(notice.type)}
          {fid !== null && (
            <Text size="xs" c="dimmed">
              <Anchor component={Link} to="/runs/$fid" params={{ fid } as never} inherit>
                {notice.flow ?? fid}
              </Anchor>
              {notice.lid !== null && ` ${notice.detail ?? ''}`}
            </Text>
          )}
        </div>
      </Table.Td>
      <Table.Td>
        <Ago at={notice.at} fz="inherit" />
      </Table.Td>
      <Table.Td maw={{ base: 'none', sm: 260 }}>
        <div>
          <Badge color={COLORS[state]} variant="light" tt="none">
            {state}
            {attempts > 1 && `, sent ${attempts} times`}
          </Badge>
          {problem !== null && (
            <Text size="xs" c="dimmed" style={{ overflowWrap: 'anywhere' }}>
              {problem}
              {state === 'waiting' && notice.next_at !== null && (
                <>
                  {' '}
                  Next <Ago at={notice.next_at} span />
                </>
              )}
            </Text>
          )}
        </div>
      </Table.Td>
      <Table.Td ta="right">
        <Button size="xs" variant="default" loading={resend.isPending} onClick={() => resend.mutate()} aria-label={`Send ${notice.id} again`}>
          Send again
        </Button>
      </Table.Td>
    </Table.Tr>
  )
}
