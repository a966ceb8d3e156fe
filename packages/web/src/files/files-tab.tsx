import { Anchor, Badge, Button, Group, Stack, Table, Text, UnstyledButton } from '@mantine/core'
import { isEnded } from '@koco/core'
import type { RunFile } from '@koco/core/api'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { FILES_SHOWN, fileUrl, runFilesQuery } from '../api/files.ts'
import type { WholeRun } from '../api/shapes.ts'
import { Icon } from '../app/icons.tsx'
import { Empty, Failure, Loading } from '../app/states.tsx'
import { bytes, count } from '../show/format.ts'
import { Ago } from '../show/time.tsx'
import { isImported } from '../run/use-control.ts'
import { FilePreview } from './file-preview.tsx'

/** The files of a run: what it was given and what it has made, to look at and to download. `uploads` counts the files that the run has told of: it is looked again when it grows. */
export function FilesTab({ run, uploads }: { readonly run: WholeRun; readonly uploads: number }) {
  const { data, error, isPending, refetch } = useQuery(runFilesQuery(run.fid, `${run.status} ${uploads}`))
  const [path, setPath] = useState<string | null>(null)
  if (isPending) return <Loading what="files" />
  if (error) return <Failure error={error} retry={() => void refetch()} />
  if (data.items.length === 0) {
    return isEnded(run.status) ? (
      <Empty title="No files">{isImported(run) ? 'An export does not hold the files of its run.' : 'The run was given none and has made none.'}</Empty>
    ) : (
      <Empty title="No files yet">What the run makes with ctx.files appears here.</Empty>
    )
  }
  const chosen = data.items.find((file) => file.path === path)
  // What the run has made is what people come for.
  const sorted = [...data.items.filter((file) => file.path.startsWith('out/')), ...data.items.filter((file) => file.path.startsWith('in/'))]
  return (
    <Stack gap="md">
      <Table.ScrollContainer minWidth={360}>
        <Table verticalSpacing={6} highlightOnHover aria-label="Files">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>File</Table.Th>
              <Table.Th ta="right">Size</Table.Th>
              <Table.Th visibleFrom="sm">Written</Table.Th>
              <Table.Th />
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {sorted.map((file) => (
              <FileLine key={file.path} fid={run.fid} file={file} chosen={file.path === path} choose={() => setPath(file.path === path ? null : file.path)} />
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      {data.next !== null && (
        <Text size="sm" c="dimmed">
          The first {count(FILES_SHOWN)} files. The API lists them all.
        </Text>
      )}
      {chosen && <FilePreview key={`${chosen.path} ${chosen.modified_at}`} url={fileUrl(run.fid, chosen.path)} file={chosen} />}
    </Stack>
  )
}

type LineProps = { readonly fid: string; readonly file: RunFile; readonly chosen: boolean; readonly choose: () => void }

function FileLine({ fid, file, chosen, choose }: LineProps) {
  const [side = '', ...rest] = file.path.split('/')
  const name = rest.join('/')
  return (
    <Table.Tr {...(chosen && { bg: 'var(--mantine-primary-color-light)' })}>
      <Table.Td>
        <Group gap="xs" wrap="nowrap">
          <Badge size="xs" variant="light" color={side === 'out' ? 'teal' : 'gray'}>
            {side}
          </Badge>
          <UnstyledButton onClick={choose} aria-expanded={chosen} style={{ overflowWrap: 'anywhere' }}>
            <Anchor component="span" size="sm">
              {name}
            </Anchor>
          </UnstyledButton>
        </Group>
      </Table.Td>
      <Table.Td ta="right" style={{ whiteSpace: 'nowrap' }}>
        {bytes(file.size)}
      </Table.Td>
      <Table.Td visibleFrom="sm" c="dimmed" style={{ whiteSpace: 'nowrap' }}>
        <Ago at={file.modified_at} fz="inherit" />
      </Table.Td>
      <Table.Td ta="right">
        <Button component="a" href={fileUrl(fid, file.path)} download variant="subtle" size="compact-xs" aria-label={`Download ${file.path}`}>
          <Icon name="down" size={14} />
        </Button>
      </Table.Td>
    </Table.Tr>
  )
}
