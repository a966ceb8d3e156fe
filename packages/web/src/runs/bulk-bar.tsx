import { Alert, Anchor, Button, Group, Modal, Progress, Stack, Text } from '@mantine/core'
import { isEnded } from '@koco/core'
import type { BulkOutcome } from '@koco/core/api'
import { useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useRef, useState } from 'react'
import { bulkRuns, type BulkAction, type RunFilter } from '../api/runs.ts'
import { messageOf } from '../api/problem.ts'
import type { RunRow } from '../api/shapes.ts'
import { count, runName } from '../show/format.ts'
import classes from './runs-page.module.css'

type Props = {
  readonly filter: RunFilter
  readonly rows: readonly RunRow[]
  readonly chosen: ReadonlySet<string>
  /** Whether all that match the filter are meant, read or not. */
  readonly all: boolean
  /** Whether more match than were read. */
  readonly more: boolean
  /** Chooses these runs, or all that match; null ends the choosing. */
  readonly choose: (fids: readonly string[] | null, all?: boolean) => void
}

const LABELS: Readonly<Record<BulkAction, string>> = { cancel: 'Cancel', retry: 'Retry', archive: 'Archive', restore: 'Bring back' }

type Work = { readonly action: BulkAction; readonly outcomes: readonly BulkOutcome[]; readonly over: boolean; readonly error: string | null }

/** What can be done with the chosen runs, and what became of it for each. */
export function BulkBar(props: Props) {
  const { chosen, all, more, rows, filter, choose } = props
  const { work, start, stop, close } = useBulk(props)
  const [asked, ask] = useState<BulkAction | null>(null)
  const some = all || chosen.size > 0
  const read = rows.map((run) => run.fid)
  const what = all ? (more ? 'all that match' : `all ${count(rows.length)}`) : count(chosen.size)
  return (
    <div className={classes['bulk']} role="toolbar" aria-label="Chosen runs">
      <Text size="sm" fw={600}>
        {what} chosen
      </Text>
      <Button size="compact-sm" variant="subtle" onClick={() => choose(read)}>
        Choose the {count(rows.length)} shown
      </Button>
      {more && !all && (
        <Button size="compact-sm" variant="subtle" onClick={() => choose(read, true)}>
          All that match
        </Button>
      )}
      {some && (
        <Button size="compact-sm" variant="subtle" onClick={() => choose([])}>
          None
        </Button>
      )}
      <Group gap={6} ml="auto">
        {actionsFor(filter, all ? rows : rows.filter((run) => chosen.has(run.fid))).map((action) => (
          <Button
            key={action}
            size="xs"
            variant="default"
            disabled={!some}
            onClick={() => (action === 'retry' || action === 'cancel' || all ? ask(action) : void start(action))}
          >
            {LABELS[action]}
          </Button>
        ))}
        {!all && chosen.size === 2 && <CompareButton fids={rows.map((run) => run.fid).filter((fid) => chosen.has(fid))} />}
        <Button size="xs" variant="subtle" color="gray" onClick={() => choose(null)}>
          Done
        </Button>
      </Group>
      <Confirm
        asked={asked}
        deed={asked === null ? '' : `${LABELS[asked]} ${what}${all ? '' : chosen.size === 1 ? ' run' : ' runs'}`}
        leave={() => ask(null)}
        start={() => {
          ask(null)
          if (asked) void start(asked)
        }}
      />
      {work && (
        <Outcomes
          work={work}
          rows={rows}
          total={all ? null : chosen.size}
          stop={stop}
          close={close}
          undo={(fids) => {
            const back = UNDO[work.action]
            if (back) void start(back, fids)
          }}
        />
      )}
    </div>
  )
}

/** The older one is the first: lists have the newest first. */
function CompareButton({ fids: [b = '', a = ''] }: { readonly fids: readonly string[] }) {
  return (
    <Button size="xs" variant="default" component={Link} to="/compare" {...({ search: { a, b } } as object)}>
      Compare
    </Button>
  )
}

/** What takes an action back, for those runs that accepted it. A cancel and a retry cannot be taken back. */
const UNDO: Partial<Record<BulkAction, BulkAction>> = { archive: 'restore', restore: 'archive' }

/** Asks the chosen runs, or those that are named, one request after the other. */
function useBulk({ all, chosen, filter }: Props) {
  const [work, setWork] = useState<Work | null>(null)
  const aborter = useRef(new AbortController())
  const client = useQueryClient()
  const start = async (action: BulkAction, fids?: readonly string[]) => {
    aborter.current = new AbortController()
    const { signal } = aborter.current
    setWork({ action, outcomes: [], over: false, error: null })
    const told = (outcomes: readonly BulkOutcome[]) => setWork((now) => now && { ...now, outcomes: [...now.outcomes, ...outcomes] })
    try {
      await bulkRuns(action, fids ? { fids } : all ? { filter } : { fids: [...chosen] }, told, signal)
      setWork((now) => now && { ...now, over: true })
    } catch (error) {
      setWork((now) => now && { ...now, over: true, error: signal.aborted ? 'Stopped; what was asked before goes on.' : messageOf(error) })
    }
    void client.invalidateQueries({ queryKey: ['runs'] })
  }
  return { work, start, stop: () => aborter.current.abort(), close: () => setWork(null) }
}

/** `deed`: what is done, as the button says it: a bare “Cancel” could mean to leave the dialog. */
type ConfirmProps = { readonly asked: BulkAction | null; readonly deed: string; readonly leave: () => void; readonly start: () => void }

function Confirm({ asked, deed, leave, start }: ConfirmProps) {
  return (
    <Modal opened={asked !== null} onClose={leave} title={asked && `${deed}?`} centered>
      <Text size="sm">
        {asked === 'cancel' && 'They stop within seconds. What they have written stays; a retry continues after their finished steps.'}
        {asked === 'retry' && 'They start again; finished steps are kept. Runs that finished well start again too when they are among them.'}
        {(asked === 'archive' || asked === 'restore') && 'Runs that are not over stay where they are.'}
      </Text>
      <Group justify="flex-end" mt="lg">
        <Button variant="default" onClick={leave} data-autofocus>
          Leave them
        </Button>
        <Button data-confirm color={asked === 'cancel' ? 'red' : 'indigo'} onClick={start}>
          {deed}
        </Button>
      </Group>
    </Modal>
  )
}

/** What makes sense for the chosen runs; everything while none is chosen, so that the bar does not jump. */
function actionsFor(filter: RunFilter, runs: readonly RunRow[]): BulkAction[] {
  if (filter.archived) return ['restore']
  if (runs.length === 0) return ['cancel', 'retry', 'archive']
  const ended = runs.some((run) => isEnded(run.status))
  return [...(runs.some((run) => !isEnded(run.status)) ? (['cancel'] as const) : []), ...(ended ? (['retry', 'archive'] as const) : [])]
}

/** What a person knows a run by; one that was never shown has only its id. */
function nameOf(rows: readonly RunRow[], fid: string): string {
  const run = rows.find((row) => row.fid === fid)
  return run ? runName(run) : fid.slice(-8)
}

type OutcomesProps = {
  readonly work: Work
  readonly rows: readonly RunRow[]
  readonly total: number | null
  readonly stop: () => void
  readonly close: () => void
  readonly undo: (fids: readonly string[]) => void
}

function Outcomes({ work, rows, total, stop, close, undo }: OutcomesProps) {
  const refused = work.outcomes.filter((one) => one.outcome === 'refused')
  const accepted = work.outcomes.filter((one) => one.outcome === 'accepted').map((one) => one.fid)
  return (
    <Modal
      opened
      onClose={work.over ? close : stop}
      title={`${LABELS[work.action]}: ${count(accepted.length)} accepted${refused.length > 0 ? `, ${count(refused.length)} refused` : ''}`}
      centered
      size="lg"
    >
      <Stack gap="sm">
        {!work.over && <Progress value={total === null ? 100 : (work.outcomes.length / Math.max(1, total)) * 100} animated aria-label="Progress" />}
        {work.error !== null && <Alert color="orange">{work.error}</Alert>}
        {work.over && refused.length === 0 && work.error === null && <Text size="sm">Each request is kept: it will be done, whatever stops in between.</Text>}
        {refused.slice(0, 100).map((one) => (
          <Text key={one.fid} size="sm">
            <Anchor component={Link} to="/runs/$fid" params={{ fid: one.fid } as never} size="sm" fw={600}>
              {nameOf(rows, one.fid)}
            </Anchor>{' '}
            {one.detail}
          </Text>
        ))}
        <Group justify="flex-end">
          {work.over && UNDO[work.action] && accepted.length > 0 && (
            <Button variant="light" onClick={() => undo(accepted)}>
              Undo
            </Button>
          )}
          <Button variant="default" onClick={work.over ? close : stop}>
            {work.over ? 'Close' : 'Stop'}
          </Button>
        </Group>
      </Stack>
    </Modal>
  )
}
