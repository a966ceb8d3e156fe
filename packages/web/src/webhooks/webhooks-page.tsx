import type { Webhook } from '@koco/core/api'
import { Alert, Badge, Button, Card, Code, Group, Menu, Table, Text } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { meQuery } from '../api/session.ts'
import { deleteWebhook, pauseWebhook, replaceSecret, resumeWebhook, testWebhook, webhooksQuery, type WithSecret } from '../api/webhooks.ts'
import { notifyDone, notifyFailure } from '../app/notify.ts'
import { Page } from '../app/page.tsx'
import { Empty, Failure, Loading } from '../app/states.tsx'
import { OperationsTabs } from '../operations/operations-tabs.tsx'
import { Copy } from '../show/copy.tsx'
import { Ago } from '../show/time.tsx'
import { RowTable } from '../show/wide-table.tsx'
import { eventLabel } from './events.ts'
import { LogDialog } from './log-dialog.tsx'
import { ResumeDialog } from './resume-dialog.tsx'
import { WebhookDialog } from './webhook-dialog.tsx'

/** The addresses that are told of runs, questions and alarms, whether notices arrive there, and what was sent. */
export function WebhooksPage() {
  const { data: me } = useQuery(meQuery)
  const { data: webhooks, error, refetch } = useQuery(webhooksQuery)
  const [isAdding, setAdding] = useState(false)
  const [shown, show] = useState<WithSecret | null>(null)
  const [logged, log] = useState<Webhook | null>(null)
  const isOperator = me?.user.role === 'operator'
  return (
    <Page
      title="Webhooks"
      about="Other programs are told of runs, questions and alarms: signed, and sent again until it has arrived."
      actions={me?.user.role === 'viewer' ? undefined : <Button onClick={() => setAdding(true)}>Add a webhook</Button>}
    >
      {isOperator && <OperationsTabs />}
      {error && <Failure error={error} retry={() => void refetch()} />}
      {!webhooks && !error && <Loading what="webhooks" />}
      {shown && <Secret webhook={shown} close={() => show(null)} />}
      {webhooks?.length === 0 && (
        <Empty title="No webhooks" command="npx koco webhooks create https://example.com/koco --event run.error question.waiting">
          An address is told as CloudEvents, signed as Standard Webhooks says, with ids and links.
        </Empty>
      )}
      {webhooks && webhooks.length > 0 && (
        <Card withBorder padding="xs">
          <RowTable label="Webhooks" minWidth={700} heads={['Address', 'Told of', 'Runs', 'State', '']}>
            {webhooks.map((webhook) => (
              <WebhookRow key={webhook.id} webhook={webhook} show={show} log={() => log(webhook)} />
            ))}
          </RowTable>
          <Text size="xs" c="dimmed" px="xs" pb={4}>
            While a webhook is paused or disabled nothing is noted for it; when it goes on, it can be told of what it missed.
          </Text>
        </Card>
      )}
      {isAdding && <WebhookDialog isOperator={isOperator} made={show} close={() => setAdding(false)} />}
      {logged && <LogDialog webhook={logged} close={() => log(null)} />}
    </Page>
  )
}

function Secret({ webhook, close }: { readonly webhook: WithSecret; readonly close: () => void }) {
  return (
    <Alert color="teal" title={`The secret of ${webhook.url}, shown this one time`} withCloseButton closeButtonLabel="Hide the secret" onClose={close}>
      <Group gap="xs" wrap="nowrap">
        <Code style={{ overflowWrap: 'anywhere' }}>{webhook.secret}</Code>
        <Copy value={webhook.secret} what="secret" />
      </Group>
    </Alert>
  )
}

type RowProps = { readonly webhook: Webhook; readonly show: (webhook: WithSecret) => void; readonly log: () => void }

function WebhookRow({ webhook, show, log }: RowProps) {
  const { url, user, events, flow, runs_of: runsOf, bodies } = webhook
  return (
    <Table.Tr>
      <Table.Td maw={{ base: 'none', sm: 320 }}>
        <div>
          <Text inherit fw={550} style={{ overflowWrap: 'anywhere' }}>
            {url}
          </Text>
          <Text size="xs" c="dimmed">
            {user}, <Ago at={webhook.created_at} span />
            {bodies && ', with inputs and results'}
          </Text>
        </div>
      </Table.Td>
      <Table.Td>{events.map(eventLabel).join(', ')}</Table.Td>
      <Table.Td>{`${flow ?? 'every flow'}, ${runsOf === null ? 'of everybody' : `of ${runsOf}`}`}</Table.Td>
      <Table.Td>
        <State webhook={webhook} />
      </Table.Td>
      <Table.Td ta="right">
        <Actions webhook={webhook} show={show} log={log} />
      </Table.Td>
    </Table.Tr>
  )
}

const PAUSED = {
  asked: ['gray', 'paused', 'Told nothing'],
  gone: ['red', 'disabled', 'It answered that it is gone (410); told nothing'],
  failing: ['red', 'disabled', 'Nothing arrived there for days; told nothing'],
} as const

function State({ webhook: { paused_because: because, paused_at: pausedAt, failing_since: failing } }: { readonly webhook: Webhook }) {
  const failure = failing === null ? (['teal', 'on', ''] as const) : (['red', 'failing', ''] as const)
  const [color, word, why] = because === null ? failure : PAUSED[because]
  const since = because === null ? failing : pausedAt
  return (
    <div>
      <Badge color={color} variant="dot" tt="none">
        {word}
      </Badge>
      {since !== null && (
        <Text size="xs" c="dimmed">
          {why} since <Ago at={since} span />
        </Text>
      )}
    </div>
  )
}

function Actions({ webhook, show, log }: RowProps) {
  const client = useQueryClient()
  const act = useMutation({
    mutationFn: ({ work }: { readonly work: () => Promise<unknown>; readonly done: string }) => work(),
    onSuccess: (_, { done }) => notifyDone(done),
    onError: (error) => notifyFailure(`Could not do that to ${url}`, error),
    onSettled: () => client.invalidateQueries({ queryKey: webhooksQuery.queryKey }),
  })
  const { id, url, paused, failing_since: failing } = webhook
  const [isResuming, setResuming] = useState(false)
  const test = async () => {
    await testWebhook(id)
    log()
  }
  const resume = (missed: boolean): void => {
    act.mutate({ work: () => resumeWebhook(id, missed), done: missed ? `${url} is told of what it missed.` : `${url} is told again.` })
    setResuming(false)
    if (missed) log()
  }
  const replace = async () => show(await replaceSecret(id))
  const pause = () => act.mutate({ work: () => pauseWebhook(id), done: `${url} is told nothing more.` })
  return (
    <>
      <Menu position="bottom-end" withArrow>
        <Menu.Target>
          <Button size="xs" variant="default" loading={act.isPending} aria-label={`Actions on ${url}`}>
            Actions
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item onClick={log}>Show what was sent</Menu.Item>
          <Menu.Item disabled={paused} onClick={() => act.mutate({ work: test, done: 'A test is on its way.' })}>
            Send a test
          </Menu.Item>
          {failing !== null && !paused && <Menu.Item onClick={() => resume(true)}>Send again what was given up</Menu.Item>}
          <Menu.Item onClick={paused ? () => setResuming(true) : pause}>{paused ? 'Resume' : 'Pause'}</Menu.Item>
          <Menu.Item onClick={() => act.mutate({ work: replace, done: 'The old secret signs nothing more.' })}>New secret</Menu.Item>
          <Menu.Divider />
          <Menu.Item color="red" onClick={() => act.mutate({ work: () => deleteWebhook(id), done: `${url} is deleted with its log.` })}>
            Delete
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      {isResuming && <ResumeDialog webhook={webhook} resume={resume} close={() => setResuming(false)} />}
    </>
  )
}
