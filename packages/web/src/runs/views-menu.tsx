import { Button, Checkbox, CloseButton, Group, Menu, Stack, Text, TextInput } from '@mantine/core'
import { useLocalStorage } from '@mantine/hooks'
import { useState } from 'react'
import { COLUMNS, STANDARD_COLUMNS } from './columns.tsx'
import { runsSearch, type RunsSearch } from './search.ts'

type View = { readonly name: string; readonly search: RunsSearch }

const VIEWS_MAX = 50

/** Which columns this person sees, kept in this browser. */
export function useColumns(user: string): readonly [readonly string[], (columns: readonly string[]) => void] {
  const [keys, setKeys] = useLocalStorage<readonly string[]>({ key: `koco-columns:${user}`, defaultValue: STANDARD_COLUMNS, getInitialValueInEffect: false })
  return [Array.isArray(keys) ? keys : STANDARD_COLUMNS, setKeys]
}

/** Filters under a name, and which columns are shown. Both are kept in this browser, for each person who signs in here; a view is also an address that can be shared. */
export function ViewsMenu({ user, search, show }: { readonly user: string; readonly search: RunsSearch; readonly show: (search: RunsSearch) => void }) {
  const [views, setViews] = useLocalStorage<readonly View[]>({ key: `koco-views:${user}`, defaultValue: [], getInitialValueInEffect: false })
  const [columns, setColumns] = useColumns(user)
  const [name, setName] = useState('')
  const kept = Array.isArray(views) ? views : []
  const save = () => {
    if (name.trim() === '') return
    setViews([...kept.filter((view) => view.name !== name.trim()), { name: name.trim(), search }].slice(-VIEWS_MAX))
    setName('')
  }
  return (
    <Menu position="bottom-end" withArrow width={290} closeOnItemClick={false}>
      <Menu.Target>
        <Button variant="default" size="xs">
          View
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>Saved views (in this browser)</Menu.Label>
        {kept.map((view) => (
          <Group key={view.name} gap={4} wrap="nowrap">
            <Menu.Item onClick={() => show(runsSearch(view.search as Record<string, unknown>))}>{view.name}</Menu.Item>
            <CloseButton size="sm" aria-label={`Delete the view ${view.name}`} onClick={() => setViews(kept.filter((one) => one.name !== view.name))} />
          </Group>
        ))}
        <form
          onSubmit={(event) => {
            event.preventDefault()
            save()
          }}
        >
          <Group gap={6} wrap="nowrap" px="sm" py={4}>
            <TextInput
              size="xs"
              placeholder="Name of these filters"
              aria-label="Name of the view"
              value={name}
              onChange={(event) => setName(event.target.value)}
              maxLength={60}
              onKeyDown={(event) => event.stopPropagation()}
            />
            <Button size="xs" type="submit" variant="default" disabled={name.trim() === ''}>
              Save
            </Button>
          </Group>
        </form>
        <Menu.Divider />
        <Menu.Label>Columns</Menu.Label>
        <Stack gap={6} px="sm" pb="xs">
          {COLUMNS.map((column) => (
            <Checkbox
              key={column.key}
              size="xs"
              label={column.label}
              checked={columns.includes(column.key)}
              onChange={(event) => setColumns(event.currentTarget.checked ? [...columns, column.key] : columns.filter((key) => key !== column.key))}
            />
          ))}
          <Text size="xs" c="dimmed">
            Narrow windows show fewer.
          </Text>
        </Stack>
      </Menu.Dropdown>
    </Menu>
  )
}
