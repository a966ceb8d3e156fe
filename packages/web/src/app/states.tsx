import type { ReactNode } from 'react'
import { Alert, Button, Center, Code, Group, Loader, Stack, Text, Title } from '@mantine/core'
import { ApiProblem, messageOf } from '../api/problem.ts'
import { Copy } from '../show/copy.tsx'
import { Icon } from './icons.tsx'

/** A list with nothing in it: why, and what fills it. `command` can be copied. */
export function Empty({ title, children, command }: { readonly title: string; readonly children?: ReactNode; readonly command?: string }) {
  return (
    <Center py={56} px="md">
      <Stack align="center" gap="xs" maw={520} ta="center">
        <Title order={3}>{title}</Title>
        {children !== undefined && (
          <Text c="dimmed" component="div">
            {children}
          </Text>
        )}
        {command !== undefined && (
          <Group gap="xs" wrap="nowrap" mt="xs">
            <Code fz="sm" px="sm" py={6}>
              {command}
            </Code>
            <Copy value={command} what="command" />
          </Group>
        )}
      </Stack>
    </Center>
  )
}

/** What went wrong, what to do, and under which request id the log has it. */
export function Failure({ error, retry, title }: { readonly error: unknown; readonly retry?: () => void; readonly title?: string }) {
  const problem = error instanceof ApiProblem ? error : undefined
  return (
    <Alert color="red" variant="light" icon={<Icon name="alert" />} title={title ?? problem?.title ?? 'Something went wrong'} role="alert">
      <Text size="sm">{messageOf(error)}</Text>
      {problem?.requestId && (
        <Text size="xs" c="dimmed" mt={4}>
          {problem.code}, request {problem.requestId}
        </Text>
      )}
      {retry && (
        <Button mt="sm" variant="default" size="xs" onClick={retry}>
          Try again
        </Button>
      )}
    </Alert>
  )
}

/** Shown while a page's first data is on its way. */
export function Loading({ what }: { readonly what: string }) {
  return (
    <Center py={72} role="status" aria-label={`Loading ${what}`}>
      <Loader size="sm" type="dots" color="gray" />
    </Center>
  )
}
