import { Button, Group, Modal, Text } from '@mantine/core'
import { useDisclosure, useHotkeys } from '@mantine/hooks'
import { isEnded } from '@koco/core'
import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import type { RunAction } from '../api/runs.ts'
import { meQuery } from '../api/session.ts'
import type { WholeRun } from '../api/shapes.ts'
import { Icon } from '../app/icons.tsx'
import { runName } from '../show/format.ts'
import { MoreMenu } from './more-menu.tsx'
import { isImported, useControl } from './use-control.ts'
import { useUpKeys } from './up-keys.ts'

/** What a person can ask of a run now. Each request is durable and may be repeated. */
export function RunActions({ run }: { readonly run: WholeRun }) {
  const { data: me } = useQuery(meQuery)
  const navigate = useNavigate()
  const [confirming, confirm] = useDisclosure(false)
  const control = useControl(run.fid)
  const may = me !== undefined && me?.user.role !== 'viewer'
  useUpKeys(run)
  useHotkeys([['r', () => may && void navigate({ to: '/flows/$name', params: { name: run.flow }, search: { from: run.fid } })]])
  if (!may) return <MoreMenu run={run} over={false} />
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
      {over && run.status !== 'finished' && !isImported(run) && (
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

function HoldButton({ run, busy, ask }: { readonly run: WholeRun; readonly busy: boolean; readonly ask: (action: RunAction) => void }) {
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
  readonly run: WholeRun
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
        <Button color="red" onClick={cancel} data-confirm>
          Cancel the run
        </Button>
      </Group>
    </Modal>
  )
}
