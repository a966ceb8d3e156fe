import { Button, Popover, Select, Stack, Switch, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { flowsQuery } from '../api/flows.ts'
import { meQuery } from '../api/session.ts'
import { usersQuery } from '../api/users.ts'
import type { RunsSearch, SPANS } from './search.ts'

const TIMES = [
  { value: '1h', label: 'Last hour' },
  { value: '24h', label: 'Last 24 hours' },
  { value: '7d', label: 'Last 7 days' },
  { value: '30d', label: 'Last 30 days' },
] satisfies { readonly value: keyof typeof SPANS; readonly label: string }[]

const THESE = ['user', 'tag', 'since', 'from', 'to', 'archived'] as const

type Change = { readonly [K in (typeof THESE)[number]]?: string | null }

/** The filters that are needed less often: who, tag, when, archived. */
export function MoreFilters({ search, change }: { readonly search: RunsSearch; readonly change: (part: Change) => void }) {
  const used = THESE.filter((name) => search[name] !== undefined).length
  return (
    <Popover position="bottom-start" withArrow trapFocus shadow="md" width={280}>
      <Popover.Target>
        <Button variant="default">{used === 0 ? 'More filters' : `More filters (${used})`}</Button>
      </Popover.Target>
      <Popover.Dropdown>
        <Stack gap="sm">
          <WhoFilter search={search} change={change} />
          <TagFilter search={search} change={change} />
          <Select
            label="Started"
            placeholder="Any time"
            clearable
            data={TIMES}
            value={search.since ?? null}
            onChange={(since) => change({ since, from: null, to: null })}
            comboboxProps={{ withinPortal: false }}
          />
          <TextInput
            type="date"
            label="From day"
            value={search.from ?? ''}
            max={search.to}
            onChange={(event) => change({ from: event.target.value, since: null })}
          />
          <TextInput
            type="date"
            label="To day (with it)"
            value={search.to ?? ''}
            min={search.from}
            onChange={(event) => change({ to: event.target.value, since: null })}
          />
          <Switch
            label="Archived runs"
            checked={search.archived === 'true'}
            onChange={(event) => change({ archived: event.currentTarget.checked ? 'true' : null })}
          />
        </Stack>
      </Popover.Dropdown>
    </Popover>
  )
}

type Part = { readonly search: RunsSearch; readonly change: (part: Change) => void }

function WhoFilter({ search, change }: Part) {
  const { data: me } = useQuery(meQuery)
  const operator = me?.user.role === 'operator'
  const { data: users = [] } = useQuery({ ...usersQuery, enabled: operator })
  if (!operator) return null
  const names = new Set([...users.map((user) => user.name), ...(search.user === undefined ? [] : [search.user])])
  return (
    <Select
      label="User"
      placeholder="Anybody"
      openOnFocus={false}
      clearable
      searchable
      data={[...names]}
      value={search.user ?? null}
      onChange={(user) => change({ user })}
      comboboxProps={{ withinPortal: false }}
    />
  )
}

function TagFilter({ search, change }: Part) {
  const { data: flows = [] } = useQuery(flowsQuery)
  const tags = new Set([...flows.flatMap((flow) => flow.tags), ...(search.tag === undefined ? [] : [search.tag])])
  return (
    <Select
      label="Tag"
      placeholder="Any tag"
      clearable
      searchable
      data={[...tags].toSorted()}
      value={search.tag ?? null}
      onChange={(tag) => change({ tag })}
      comboboxProps={{ withinPortal: false }}
    />
  )
}
