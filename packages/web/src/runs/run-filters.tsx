import { Button, MultiSelect, Select, TextInput } from '@mantine/core'
import { useDebouncedCallback, useHotkeys, type HotkeyItem } from '@mantine/hooks'
import { RUN_STATUSES } from '@koco/core'
import { useQuery } from '@tanstack/react-query'
import { useRef, useState } from 'react'
import { flowsQuery } from '../api/flows.ts'
import { useSlashFocus } from '../app/hot-keys.ts'
import { Icon } from '../app/icons.tsx'
import { STATUS_LOOK } from '../show/status.tsx'
import { MoreFilters } from './more-filters.tsx'
import classes from './runs-page.module.css'
import type { RunsSearch } from './search.ts'

const STATUSES = RUN_STATUSES.map((status) => ({ value: status, label: STATUS_LOOK[status].label }))

/** Status, flow and free text; the words are sent when a person stops typing. */
export function RunFilters({ search, onChange }: { readonly search: RunsSearch; readonly onChange: (search: RunsSearch) => void }) {
  const { data: flows = [] } = useQuery(flowsQuery)
  const change = (part: { readonly [K in keyof RunsSearch]?: string | null }) => onChange(withoutEmpty({ ...search, ...part }))
  const statuses = search.status?.split(',') ?? []
  const toggle = (status: string) =>
    change({ status: (statuses.includes(status) ? statuses.filter((one) => one !== status) : [...statuses, status]).join(',') })
  useHotkeys([...RUN_STATUSES.map((status, index): HotkeyItem => [String(index + 1), () => toggle(status)]), ['0', () => change({ status: null })]])
  return (
    <div className={classes['filters']} role="search" aria-label="Filter runs">
      <Words value={search.q ?? ''} onChange={(q) => change({ q })} />
      <MultiSelect
        data={STATUSES}
        value={statuses}
        onChange={(status) => change({ status: status.join(',') })}
        placeholder={statuses.length === 0 ? 'Any status' : ''}
        aria-label="Status"
        clearable
        w={{ base: 'calc(50% - 4px)', xs: statuses.length > 1 ? 250 : 160 }}
        hidePickedOptions
        classNames={{ inputField: classes['field'] ?? '' }}
      />
      <Select
        data={flows.map((flow) => flow.name)}
        value={search.flow ?? null}
        onChange={(flow) => change({ flow })}
        placeholder="Any flow"
        aria-label="Flow"
        clearable
        searchable
        w={{ base: 'calc(50% - 4px)', xs: 160 }}
      />
      <MoreFilters search={search} change={change} />
      {Object.keys(search).length > 0 && (
        <Button variant="subtle" color="gray" onClick={() => onChange({})}>
          Clear
        </Button>
      )}
    </div>
  )
}

function Words({ value, onChange }: { readonly value: string; readonly onChange: (q: string) => void }) {
  const [text, setText] = useState(value)
  const [seen, setSeen] = useState(value)
  const [sent, setSent] = useState(value)
  // Back and forward change the URL without this field; its own words, coming back from there, may be older than what stands in it.
  if (value !== seen) {
    setSeen(value)
    if (value !== sent) setText(value)
  }
  const field = useRef<HTMLInputElement>(null)
  useSlashFocus(field)
  const send = useDebouncedCallback((words: string) => {
    setSent(words)
    onChange(words)
  }, 250)
  return (
    <TextInput
      ref={field}
      value={text}
      onChange={(event) => {
        setText(event.target.value)
        send(event.target.value)
      }}
      placeholder="Search summary, inputs, tags"
      aria-label="Search runs"
      leftSection={<Icon name="search" size={16} />}
      w={{ base: '100%', xs: 250 }}
    />
  )
}

function withoutEmpty(search: { readonly [key: string]: string | null | undefined }): RunsSearch {
  return Object.fromEntries(Object.entries(search).filter(([, value]) => value !== undefined && value !== null && value !== ''))
}
