import { ActionIcon, Button, Checkbox, CloseButton, Group, Menu, ScrollArea, Stack, Text, TextInput, Tooltip } from '@mantine/core'
import { useLocalStorage } from '@mantine/hooks'
import type { SavedView } from '@koco/core/api'
import { useState, type ReactNode } from 'react'
import { Icon } from '../app/icons.tsx'
import { COLUMNS, STANDARD_COLUMNS } from './columns.tsx'
import { runsSearch, type RunsSearch } from './search.ts'
import { useViews } from './use-views.ts'

/** What the menu needs to know: who looks (`mayShare`: whether they may show a view to all), and the filters that stand. */
export type ViewsMenuProps = {
  readonly user: string
  readonly mayShare: boolean
  readonly search: RunsSearch
  readonly show: (search: RunsSearch) => void
}

/** Which columns this person sees, kept in this browser: how much room there is differs from screen to screen. */
export function useColumns(user: string): readonly [readonly string[], (columns: readonly string[]) => void] {
  const [keys, setKeys] = useLocalStorage<readonly string[]>({ key: `koco-columns:${user}`, defaultValue: STANDARD_COLUMNS, getInitialValueInEffect: false })
  return [Array.isArray(keys) ? keys : STANDARD_COLUMNS, setKeys]
}

/** Filters under a name, of this person and shared by others, and which columns are shown. A view is also an address that can be given to somebody. */
export function ViewsMenu(props: ViewsMenuProps) {
  const { user, search, show } = props
  const { views = [], error, save, remove } = useViews(user)
  const mine = views.filter((view) => view.mine)
  const shared = views.filter((view) => !view.mine)
  return (
    <Menu position="bottom-end" withArrow width={310} closeOnItemClick={false}>
      <Menu.Target>
        <Button variant="default" size="xs">
          View
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <ScrollArea.Autosize mah="min(75vh, 640px)" scrollbars="y">
          <Menu.Label>My views</Menu.Label>
          {error && <Words>They cannot be read now.</Words>}
          {!error && mine.length === 0 && <Words>Filter the list, then save the filters under a name.</Words>}
          {mine.map((view) => (
            <ViewRow key={view.id} view={view} show={show}>
              {props.mayShare && <ShareButton view={view} share={(now) => save({ ...view, shared: now })} />}
              <CloseButton size="sm" aria-label={`Delete the view ${view.name}`} onClick={() => remove(view)} />
            </ViewRow>
          ))}
          <SaveForm save={(name) => save({ name, search, shared: mine.find((view) => view.name === name)?.shared ?? false })} />
          {shared.length > 0 && <Menu.Label>Shared by others</Menu.Label>}
          {shared.map((view) => (
            <ViewRow key={view.id} view={view} show={show}>
              <Text size="xs" c="dimmed" pr="sm" maw={90} truncate>
                {view.user}
              </Text>
            </ViewRow>
          ))}
          <Menu.Divider />
          <Columns user={user} />
        </ScrollArea.Autosize>
      </Menu.Dropdown>
    </Menu>
  )
}

function Words({ children }: { readonly children: ReactNode }) {
  return (
    <Text size="xs" c="dimmed" px="sm" pb={4}>
      {children}
    </Text>
  )
}

function ViewRow({ view, show, children }: { readonly view: SavedView; readonly show: ViewsMenuProps['show']; readonly children: ReactNode }) {
  return (
    <Group gap={4} wrap="nowrap">
      <Menu.Item onClick={() => show(runsSearch(view.search))} miw={0} flex={1}>
        <Text inherit truncate>
          {view.name}
        </Text>
      </Menu.Item>
      {children}
    </Group>
  )
}

function ShareButton({ view, share }: { readonly view: SavedView; readonly share: (now: boolean) => void }) {
  const label = view.shared ? `Stop sharing the view ${view.name}` : `Share the view ${view.name} with everybody`
  return (
    <Tooltip label={view.shared ? 'Everybody sees it; click to keep it to yourself' : 'Share with everybody'}>
      <ActionIcon
        size="sm"
        variant={view.shared ? 'light' : 'subtle'}
        color={view.shared ? undefined : 'gray'}
        aria-label={label}
        onClick={() => share(!view.shared)}
      >
        <Icon name="users" size={14} />
      </ActionIcon>
    </Tooltip>
  )
}

function SaveForm({ save }: { readonly save: (name: string) => void }) {
  const [name, setName] = useState('')
  const words = name.trim()
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        if (words === '') return
        save(words)
        setName('')
      }}
    >
      <Group gap={6} wrap="nowrap" px="sm" py={4}>
        <TextInput
          size="xs"
          flex={1}
          placeholder="Name of these filters"
          aria-label="Name of the view"
          value={name}
          onChange={(event) => setName(event.target.value)}
          maxLength={60}
          onKeyDown={(event) => event.stopPropagation()}
        />
        <Button size="xs" type="submit" variant="default" disabled={words === ''}>
          Save
        </Button>
      </Group>
    </form>
  )
}

function Columns({ user }: { readonly user: string }) {
  const [columns, setColumns] = useColumns(user)
  return (
    <>
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
    </>
  )
}
