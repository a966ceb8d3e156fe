import { useEffect, type ReactNode } from 'react'
import { Group, Stack, Text, Title } from '@mantine/core'

/** The frame of a page: title (also that of the tab), a line about it, actions at the right. */
export function Page(props: { readonly title: string; readonly about?: ReactNode; readonly actions?: ReactNode; readonly children: ReactNode }) {
  usePageTitle(props.title)
  return (
    <Stack gap="md">
      <Group justify="space-between" align="flex-end" gap="sm">
        <Stack gap={2}>
          <Title order={1}>{props.title}</Title>
          {props.about !== undefined && (
            <Text c="dimmed" size="sm" component="div">
              {props.about}
            </Text>
          )}
        </Stack>
        {props.actions}
      </Group>
      {props.children}
    </Stack>
  )
}

let waiting = 0
let current = ''

/** Sets the tab's title while a page is shown. */
export function usePageTitle(title: string): void {
  useEffect(() => {
    current = title
    writeTitle()
  }, [title])
}

/** Puts the number of questions that wait for a person before the tab's title. */
export function useTitleBadge(count: number): void {
  useEffect(() => {
    waiting = count
    writeTitle()
  }, [count])
}

function writeTitle(): void {
  document.title = `${waiting > 0 ? `(${waiting}) ` : ''}${current === '' ? '' : `${current} · `}koco`
}
