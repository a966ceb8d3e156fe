import type { Page } from '@koco/core/api'
import { Modal } from '@mantine/core'
import { useDisclosure, useHotkeys } from '@mantine/hooks'
import { Spotlight, type SpotlightActionData } from '@mantine/spotlight'
import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useEffect, useRef, useState } from 'react'
import { flowsQuery } from '../api/flows.ts'
import { runsPath } from '../api/runs.ts'
import { api } from '../api/client.ts'
import type { RunRow } from '../api/shapes.ts'
import { runName } from '../show/format.ts'
import { STATUS_LOOK } from '../show/status.tsx'
import { Icon } from './icons.tsx'
import { KeyTable } from './key-table.tsx'
import { paletteStore } from './keys.ts'
import { usePages } from './navigation.tsx'
import { usePaletteActions } from './palette-actions.tsx'

const RUNS_SHOWN = 6
/** So long after G a letter leads to its page, by when the keys were pressed: a page that is busy may hear of both late. */
const GO_MS = 2000

/** The palette over pages, flows and runs (Ctrl or ⌘ K), the key sheet (?), and the keys that lead to pages (G, then a letter). `first`: the key that had all this fetched; it counts. */
export function Palette({ first }: { readonly first: string }) {
  const actions = useActions()
  const [sheet, sheetHandles] = useDisclosure(first === '?')
  useHotkeys([['shift+?', sheetHandles.toggle]])
  useGoKeys(first === 'g')
  return (
    <>
      <Spotlight
        store={paletteStore}
        attributes={{ content: { 'aria-label': 'Search and commands' } }}
        actions={actions.list}
        query={actions.query}
        onQueryChange={actions.setQuery}
        shortcut={['mod + K']}
        nothingFound="Nothing found"
        highlightQuery
        scrollable
        maxHeight={440}
        searchProps={{ leftSection: <Icon name="search" />, placeholder: 'Search pages, flows, runs, actions …', 'aria-label': 'Search' }}
      />
      <Modal opened={sheet} onClose={sheetHandles.close} title="Keys" centered>
        <KeyTable keysWidth={170} />
      </Modal>
    </>
  )
}

function useActions() {
  const navigate = useNavigate()
  const [query, setQuery] = useState('')
  const { data: flows = [] } = useQuery(flowsQuery)
  const words = query.trim()
  const { data: runs } = useQuery({
    queryKey: ['palette', words],
    queryFn: ({ signal }) => api<Page<RunRow>>(runsPath({ q: words }, { limit: RUNS_SHOWN }), { signal }),
    enabled: words.length > 1,
    staleTime: 5000,
  })
  const pages = usePages().map((page): SpotlightActionData => ({
    id: page.to,
    label: page.label,
    leftSection: <Icon name={page.icon} />,
    group: 'Pages',
    onClick: () => void navigate({ to: page.to }),
  }))
  const flowActions = flows.map((flow): SpotlightActionData => ({
    id: `flow:${flow.name}`,
    label: flow.name,
    description: flow.summary,
    keywords: [...flow.tags],
    leftSection: <Icon name="flow" />,
    group: 'Flows',
    onClick: () => void navigate({ to: '/flows/$name', params: { name: flow.name } }),
  }))
  const runActions = (runs?.items ?? []).map((run): SpotlightActionData => ({
    id: run.fid,
    label: runName(run),
    description: `${STATUS_LOOK[run.status].label} · ${run.summary} · ${run.fid}`,
    keywords: [words],
    leftSection: <Icon name="runs" />,
    group: 'Runs',
    onClick: () => void navigate({ to: '/runs/$fid', params: { fid: run.fid } }),
  }))
  const own = usePaletteActions()
  const list = [
    ...(own.run.length > 0 ? [{ group: 'This run', actions: own.run }] : []),
    { group: 'Pages', actions: pages },
    { group: 'Flows', actions: flowActions },
    { group: 'Runs', actions: runActions },
    { group: 'Actions', actions: own.everywhere },
  ].filter((group) => group.actions.length > 0)
  return { list, query, setQuery }
}

/** G, then the letter of a page within a second. */
function useGoKeys(begun: boolean): void {
  const pages = usePages()
  const navigate = useNavigate()
  const pressed = useRef(0)
  useEffect(() => {
    if (begun) pressed.current = performance.now()
  }, [begun])
  useHotkeys([['g', (event) => (pressed.current = event.timeStamp)]])
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (pressed.current === 0 || event.timeStamp - pressed.current > GO_MS || event.ctrlKey || event.metaKey || event.altKey) return
      const page = pages.find((one) => one.letter === event.key)
      if (!page) return
      pressed.current = 0
      event.stopImmediatePropagation()
      void navigate({ to: page.to })
    }
    window.addEventListener('keydown', onKey, { capture: true })
    return () => window.removeEventListener('keydown', onKey, { capture: true })
  }, [navigate, pages])
}
