import { Button, Card, Code, Group, List, SimpleGrid, Stack, Text, Title } from '@mantine/core'
import { isJsonObject, type Json } from '@koco/core'
import type { CheckpointComparison, Said } from '@koco/core/api'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { checkpointQuery, compareQuery } from '../api/checkpoints.ts'
import { Failure, Loading } from '../app/states.tsx'
import classes from './checkpoints.module.css'
import { MergeDialog } from './merge-dialog.tsx'

/** Two checkpoints side by side, and the way to merge them. */
export function Comparison({ a, b, close }: { readonly a: string; readonly b: string; readonly close: () => void }) {
  const { data, error, isPending, refetch } = useQuery(compareQuery(a, b))
  const [merging, setMerging] = useState(false)
  return (
    <Card withBorder padding="lg">
      <Group justify="space-between" mb="sm">
        <Title order={2}>Comparison</Title>
        <Group gap="xs">
          <Button variant="default" onClick={close}>
            Close
          </Button>
          <Button disabled={!data} onClick={() => setMerging(true)}>
            Merge
          </Button>
        </Group>
      </Group>
      {error && <Failure error={error} retry={() => void refetch()} />}
      {isPending && !error && <Loading what="the comparison" />}
      {data && <Differences compared={data} />}
      {merging && data && <MergeDialog ours={data.checkpoint1} theirs={data.checkpoint2} close={() => setMerging(false)} />}
    </Card>
  )
}

/** How the two belong together. */
function Relation({ first, second, ancestor }: { readonly first: string; readonly second: string; readonly ancestor: string | null }) {
  const { data } = useQuery({ ...checkpointQuery(ancestor ?? ''), enabled: ancestor !== null && ancestor !== first && ancestor !== second })
  if (ancestor === null) return <>they have no common ancestor</>
  if (ancestor === first) return <>the second continues the first</>
  if (ancestor === second) return <>the first continues the second</>
  return (
    <>
      both continue <b>{data === undefined || data.description === '' ? `checkpoint ${ancestor.slice(2, 10)}` : data.description}</b>
    </>
  )
}

function Differences({ compared: { checkpoint1, checkpoint2, ancestor, differences } }: { readonly compared: CheckpointComparison }) {
  const { files, conversation, state } = differences
  const names = [checkpoint1, checkpoint2].map(({ id, description }) => (description === '' ? id : description))
  const isSame = [files.added, files.removed, files.modified, conversation.only1, conversation.only2, state].every((list) => list.length === 0)
  return (
    <Stack gap="md">
      <Text size="sm" c="dimmed">
        From <b>{names[0]}</b> to <b>{names[1]}</b>; <Relation first={checkpoint1.id} second={checkpoint2.id} ancestor={ancestor} />.
      </Text>
      {isSame && <Text>They hold the same.</Text>}
      {files.added.length > 0 && <Paths title="Added" paths={files.added} />}
      {files.removed.length > 0 && <Paths title="Removed" paths={files.removed} />}
      {files.modified.map(({ path, diff }) => (
        <div key={path}>
          <Text fw={550} size="sm" mb={4}>
            {path}
          </Text>
          {diff === null ? <Text size="sm">It is no text, or too large to show.</Text> : <Diff text={diff} />}
        </div>
      ))}
      {conversation.only1.length + conversation.only2.length > 0 && (
        <div>
          <Text fw={550} size="sm" mb={4}>
            Conversation: {conversation.common} messages in common, then
          </Text>
          <SimpleGrid cols={{ base: 1, sm: 2 }}>
            <Talk title={names[0] ?? ''} said={conversation.only1} />
            <Talk title={names[1] ?? ''} said={conversation.only2} />
          </SimpleGrid>
        </div>
      )}
      {state.map(({ name, value1, value2 }) => (
        <Text key={name} size="sm">
          <b>{name}</b>: <Code>{JSON.stringify(value1)}</Code> → <Code>{JSON.stringify(value2)}</Code>
        </Text>
      ))}
    </Stack>
  )
}

function Paths({ title, paths }: { readonly title: string; readonly paths: readonly string[] }) {
  return (
    <div>
      <Text fw={550} size="sm">
        {title}
      </Text>
      <List size="sm">
        {paths.slice(0, 200).map((path) => (
          <List.Item key={path}>{path}</List.Item>
        ))}
      </List>
    </div>
  )
}

/** A unified diff in colours. Signs stand beside the colours, for those who do not see them. */
function Diff({ text }: { readonly text: string }) {
  // Without the lines that name the files; the path stands above.
  const lines = text
    .slice(Math.max(0, text.indexOf('@@')))
    .trimEnd()
    .split('\n')
  return (
    // Scrollable, so it can be reached by keyboard.
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <pre className={classes['diff']} tabIndex={0}>
      {lines.map((line, at) => (
        // oxlint-disable-next-line react/no-array-index-key -- lines have no other name, and do not move
        <span key={at} className={classes[kindOf(line)]}>
          {line === '' ? ' ' : line}
        </span>
      ))}
    </pre>
  )
}

function kindOf(line: string): 'added' | 'removed' | 'place' | 'line' {
  if (line.startsWith('+')) return 'added'
  if (line.startsWith('-')) return 'removed'
  return line.startsWith('@@') || line.startsWith('\\') ? 'place' : 'line'
}

/** What was said on one side only. */
function Talk({ title, said }: { readonly title: string; readonly said: readonly Said[] }) {
  return (
    <Card withBorder padding="sm">
      <Text size="xs" c="dimmed" mb={4}>
        {title}
      </Text>
      {said.length === 0 && (
        <Text size="sm" c="dimmed">
          nothing more
        </Text>
      )}
      {said.slice(0, 20).map((message, at) => (
        // oxlint-disable-next-line react/no-array-index-key -- messages of one comparison do not move
        <Text key={at} size="sm" className={classes['said']} mb={4}>
          <b>{message.role ?? 'message'}:</b> {textOf(message.content ?? null).slice(0, 600)}
        </Text>
      ))}
      {said.length > 20 && <Text size="sm">and {said.length - 20} more</Text>}
    </Card>
  )
}

function textOf(content: Json): string {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return JSON.stringify(content)
  return (content as readonly Json[]).flatMap((part) => (isJsonObject(part) && typeof part['text'] === 'string' ? [part['text']] : [])).join(' ')
}
