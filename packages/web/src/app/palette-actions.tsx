import { isEnded } from '@koco/core'
import { useMantineColorScheme } from '@mantine/core'
import type { SpotlightActionData } from '@mantine/spotlight'
import { useQuery } from '@tanstack/react-query'
import { useLocation, useNavigate } from '@tanstack/react-router'
import { runQuery } from '../api/runs.ts'
import { meQuery } from '../api/session.ts'
import type { WholeRun } from '../api/shapes.ts'
import { copiesOf } from '../run/copy-run.ts'
import { isImported, useArchive, useControl } from '../run/use-control.ts'
import { useImport } from '../runs/use-import.ts'
import { copyText } from '../show/copy-text.ts'
import { setTimeStyle } from '../show/time-style.ts'
import { Icon, type IconName } from './icons.tsx'

type Actions = readonly SpotlightActionData[]

/** What the palette can do besides leading somewhere: with the run that is looked at, and everywhere. */
export function usePaletteActions(): { readonly run: SpotlightActionData[]; readonly everywhere: SpotlightActionData[] } {
  const { data: me } = useQuery(meQuery)
  const mayChange = me !== undefined && me !== null && me.user.role !== 'viewer'
  const run = useRunActions(mayChange)
  const { setColorScheme } = useMantineColorScheme()
  const pick = useImport()
  const look = (scheme: 'light' | 'dark' | 'auto', label: string) => action(`look:${scheme}`, label, 'sun', () => setColorScheme(scheme))
  const times = (style: 'relative' | 'local' | 'utc', label: string) => action(`times:${style}`, label, 'clock', () => setTimeStyle(style))
  return {
    run: [...run],
    everywhere: [
      ...(mayChange ? [action('import', 'Import an exported run', 'runs', pick)] : []),
      action('link', 'Copy the link to this page', 'copy', () => copyText(location.href)),
      look('light', 'Light colours'),
      look('dark', 'Dark colours'),
      look('auto', 'Colours as the system has them'),
      times('relative', 'Times as distances from now'),
      times('local', 'Times in your own zone'),
      times('utc', 'Times in UTC'),
    ],
  }
}

function useRunActions(mayChange: boolean): Actions {
  const { pathname } = useLocation()
  const fid = /^\/runs\/([0-9a-f]{24})$/.exec(pathname)?.[1] ?? ''
  const { data: run } = useQuery({ ...runQuery(fid), enabled: fid !== '' })
  const control = useControl(fid)
  const archive = useArchive(fid)
  const navigate = useNavigate()
  if (!run || fid === '') return []
  const again = () => void navigate({ to: '/flows/$name', params: { name: run.flow }, search: { from: fid } })
  return [
    ...(mayChange ? [...asked(run, control.mutate), action('run:again', 'Run again with these inputs', 'again', again)] : []),
    ...(mayChange && isEnded(run.status)
      ? [action('run:archive', run.archived ? 'Bring this run back from the archive' : 'Archive this run', 'inbox', () => archive.mutate(!run.archived))]
      : []),
    ...copiesOf(run).map(([label, text]) => action(`run:${label}`, `${label} of this run`, 'copy', () => copyText(text))),
    action('run:export', 'Export this run as JSON lines', 'down', () => location.assign(`/api/runs/${fid}/export`)),
    action('run:print', 'Open this run as a page for printing', 'runs', () => void window.open(`/api/runs/${fid}/report`, '_blank', 'noopener')),
  ]
}

function asked(run: WholeRun, ask: (action: 'pause' | 'resume' | 'retry') => void): Actions {
  if (isEnded(run.status)) {
    return run.status === 'finished' || isImported(run) ? [] : [action('run:retry', 'Retry this run', 'retry', () => ask('retry'))]
  }
  return run.status === 'paused' || run.wanted === 'pause'
    ? [action('run:resume', 'Resume this run', 'play', () => ask('resume'))]
    : [action('run:pause', 'Pause this run', 'pause', () => ask('pause'))]
}

function action(id: string, label: string, icon: IconName, onClick: () => void): SpotlightActionData {
  return { id, label, leftSection: <Icon name={icon} />, onClick }
}
