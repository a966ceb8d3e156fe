import { Button, Group, Menu, Modal, Text } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { isEnded } from '@koco/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { archiveRun, controlRun, runQuery, type RunAction } from '../api/runs.ts'
import { meQuery } from '../api/session.ts'
import type { Run } from '../api/shapes.ts'
import { Icon } from '../app/icons.tsx'
import { notifyDone, notifyFailure } from '../app/notify.ts'
import { runName } from '../show/format.ts'

const FAILED: Readonly<Record<RunAction, string>> = {
  pause: 'Could not pause',
  resume: 'Could not resume',
  cancel: 'Could not cancel',
  retry: 'Could not retry',
}
const ASKED: Readonly<Record<RunAction, string>> = {
  pause: 'It pauses at the next step border.',
  resume: 'It goes on.',
  cancel: 'It is being cancelled; what is there stays.',
  retry: 'It starts again; finished steps are kept.',
}

/** What a person can ask of a run now. Each request is durable and may be repeated. */
export function RunActions({ run }: { readonly run: Run }) {
  const { data: me } = useQuery(meQuery)
  const client = useQueryClient()
  const [confirming, confirm] = useDisclosure(false)
  const control = useMutation({
    mutationFn: (action: RunAction) => controlRun(run.fid, action),
    onSuccess: (_answer, action) => notifyDone(ASKED[action]),
    onError: (error, action) => notifyFailure(FAILED[action], error),
    onSettled: () => client.invalidateQueries({ queryKey: runQuery(run.fid).queryKey }),
  })
  if (me?.user.role === 'viewer') return <MoreMenu run={run} over={false} />
  const over = isEnded(run.status)
  const asking = (action: RunAction) => control.isPending && control.variables === action
  return (
    <Group gap="xs">
      {!over && <HoldButton run={run} busy={asking('pause') || asking('resume')} ask={control.mutate} />}
      {!over && (
        <Button
          variant="default"
          size="xs"
          leftSection={<Icon name="stop" size={14} />}
          loading={asking('cancel')}
          disabled={run.wanted === 'cancel'}
          onClick={confirm.open}
        >
          {run.wanted === 'cancel' ? 'Cancelling …' : 'Cancel'}
        </Button>
      )}
      {over && run.status !== 'finished' && (
        <Button variant="default" size="xs" leftSection={<Icon name="retry" size={14} />} loading={asking('retry')} onClick={() => control.mutate('retry')}>
          Retry
        </Button>
      )}
      <Button
        component={Link}
        to="/flows/$name"
        {...({ params: { name: run.flow }, search: { from: run.fid } } as object)}
        variant="default"
        size="xs"
        leftSection={<Icon name="again" size={14} />}
      >
        Run again
      </Button>
      <MoreMenu run={run} over={over} />
      <CancelDialog
        run={run}
        opened={confirming}
        close={confirm.close}
        cancel={() => {
          confirm.close()
          control.mutate('cancel')
        }}
      />
    </Group>
  )
}

function HoldButton({ run, busy, ask }: { readonly run: Run; readonly busy: boolean; readonly ask: (action: RunAction) => void }) {
  if (run.status === 'paused' || run.wanted === 'pause') {
    return (
      <Button variant="default" size="xs" leftSection={<Icon name="play" size={14} />} loading={busy} onClick={() => ask('resume')}>
        {run.status === 'paused' ? 'Resume' : 'Pausing … resume'}
      </Button>
    )
  }
  return (
    <Button variant="default" size="xs" leftSection={<Icon name="pause" size={14} />} loading={busy} onClick={() => ask('pause')}>
      Pause
    </Button>
  )
}

function CancelDialog({
  run,
  opened,
  close,
  cancel,
}: {
  readonly run: Run
  readonly opened: boolean
  readonly close: () => void
  readonly cancel: () => void
}) {
  return (
    <Modal opened={opened} onClose={close} title="Cancel this run?" centered>
      <Text size="sm">“{runName(run)}” stops within seconds. What it has written stays; a retry continues after its finished steps.</Text>
      <Group justify="flex-end" mt="lg">
        <Button variant="default" onClick={close} data-autofocus>
          Keep it running
        </Button>
        <Button color="red" onClick={cancel}>
          Cancel the run
        </Button>
      </Group>
    </Modal>
  )
}

function MoreMenu({ run, over }: { readonly run: Run; readonly over: boolean }) {
  const client = useQueryClient()
  const archive = useMutation({
    mutationFn: (archived: boolean) => archiveRun(run.fid, archived),
    onSuccess: (_answer, archived) => {
      notifyDone(archived ? 'Archived: lists do not show it any more. The menu brings it back.' : 'Lists show it again.')
      void client.invalidateQueries({ queryKey: runQuery(run.fid).queryKey })
    },
    onError: (error) => notifyFailure('Could not archive', error),
  })
  const copy = (text: string) => void navigator.clipboard?.writeText(text).then(() => notifyDone('Copied.'))
  return (
    <Menu position="bottom-end" withArrow>
      <Menu.Target>
        <Button variant="default" size="xs" px={10} aria-label="More actions">
          ⋯
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item onClick={() => copy(run.fid)}>Copy id</Menu.Item>
        <Menu.Item onClick={() => copy(`${location.origin}/runs/${run.fid}`)}>Copy link</Menu.Item>
        <Menu.Item onClick={() => copy(JSON.stringify(run, null, 2))}>Copy as JSON</Menu.Item>
        <Menu.Item onClick={() => copy(`curl -H "authorization: Bearer $KODO_API_KEY" ${location.origin}/api/runs/${run.fid}`)}>Copy as curl</Menu.Item>
        <Menu.Divider />
        <Menu.Item component="a" href={`/api/runs/${run.fid}/export`} download>
          Export as JSON lines
        </Menu.Item>
        <Menu.Item component="a" href={`/api/runs/${run.fid}/export?redact=1`} download>
          Export without secrets
        </Menu.Item>
        <Menu.Item component="a" href={`/api/runs/${run.fid}/report`} target="_blank" rel="noopener">
          Page for printing
        </Menu.Item>
        {over && <Menu.Divider />}
        {over && <Menu.Item onClick={() => archive.mutate(!run.archived)}>{run.archived ? 'Bring back from the archive' : 'Archive'}</Menu.Item>}
      </Menu.Dropdown>
    </Menu>
  )
}
