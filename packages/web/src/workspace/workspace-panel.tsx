import type { Workspace } from '@koco/core/api'
import { ActionIcon, Alert, Button, FileButton, Group, Progress, Text } from '@mantine/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect, useRef, useState, type DragEvent } from 'react'
import { removeWorkspaceFile, workspaceFileUrl, workspaceQuery } from '../api/workspace.ts'
import { Icon } from '../app/icons.tsx'
import { notifyFailure } from '../app/notify.ts'
import { Failure, Loading } from '../app/states.tsx'
import { FilePreview } from '../files/file-preview.tsx'
import { bytes, count } from '../show/format.ts'
import { droppedFiles } from './dropped.ts'
import { FileLines } from './file-lines.tsx'
import { limitsOf, useUpload, type WorkspaceUpload } from './use-upload.ts'
import classes from './workspace.module.css'

type Props = { readonly id: string; readonly revision: number; readonly running: boolean; readonly mayWrite: boolean }

/** What a person and an agent work on together: the files of a session's workspace, as they are now. Files and folders may be dropped anywhere on it. */
export function WorkspacePanel({ id, revision, running, mayWrite }: Props) {
  const { data, error, refetch } = useQuery(workspaceQuery(id, { revision, running }))
  const upload = useUpload(id, data)
  const [path, setPath] = useState<string | null>(null)
  const [looks, setLooks] = useState(false)
  const choose = (next: string) => {
    setPath(next)
    setLooks(true)
  }
  const [over, setOver] = useState(false)
  const drop = (event: DragEvent) => {
    event.preventDefault()
    setOver(false)
    droppedFiles(event.dataTransfer).then(upload.add, (failure: unknown) => notifyFailure('The files could not be read', failure))
  }
  const zone = mayWrite && {
    onDragOver: (event: DragEvent) => {
      event.preventDefault()
      setOver(true)
    },
    onDragLeave: (event: DragEvent) => !event.currentTarget.contains(event.relatedTarget as Node | null) && setOver(false),
    onDrop: drop,
  }
  const chosen = looks ? data?.files.find((file) => file.path === path) : undefined
  return (
    <div className={classes['panel']} data-over={over || undefined} {...zone}>
      {error && <Failure error={error} retry={() => void refetch()} />}
      {!data && !error && <Loading what="workspace" />}
      {data && chosen ? (
        <Chosen id={id} file={chosen} back={() => setLooks(false)} />
      ) : (
        data && <Listing id={id} workspace={data} last={path} upload={upload} mayWrite={mayWrite} choose={choose} />
      )}
    </div>
  )
}

function Chosen({ id, file, back }: { readonly id: string; readonly file: Workspace['files'][number]; readonly back: () => void }) {
  const url = workspaceFileUrl(id, file.path)
  return (
    <>
      <Group gap="xs" wrap="nowrap">
        <Button size="compact-sm" variant="default" autoFocus onClick={back}>
          All files
        </Button>
        <Text size="sm" truncate flex={1} title={file.path}>
          {file.path}
        </Text>
        <Text size="xs" c="dimmed" style={{ whiteSpace: 'nowrap' }}>
          {bytes(file.size)}
        </Text>
        <ActionIcon component="a" href={url} download={file.path.split('/').at(-1)} variant="subtle" color="gray" aria-label={`Download ${file.path}`}>
          <Icon name="down" size={14} />
        </ActionIcon>
      </Group>
      <div className={classes['body']}>
        <FilePreview key={`${file.path} ${file.modified_at}`} url={url} file={file} />
      </div>
    </>
  )
}

type ListingProps = {
  readonly id: string
  readonly workspace: Workspace
  /** The file that was looked at last: the keyboard goes on from it. */
  readonly last: string | null
  readonly upload: WorkspaceUpload
  readonly mayWrite: boolean
  readonly choose: (path: string) => void
}

function Listing({ id, workspace, last, upload, mayWrite, choose }: ListingProps) {
  const client = useQueryClient()
  const { files, bytes: used, bytes_max: all } = workspace
  const body = useRef<HTMLDivElement>(null)
  useEffect(() => {
    if (last !== null) body.current?.querySelector<HTMLElement>(`[data-path="${CSS.escape(last)}"]`)?.focus()
    // Only on coming back.
    // oxlint-disable-next-line react-hooks/exhaustive-deps
  }, [])
  const remove = (path: string) => {
    removeWorkspaceFile(id, path)
      .catch((error: unknown) => notifyFailure('The file is still there', error))
      .finally(() => void client.invalidateQueries({ queryKey: ['workspace', id] }))
  }
  return (
    <>
      <div>
        <Text size="xs" c="dimmed" mb={4}>
          {files.length === 1 ? '1 file' : `${count(files.length)} files`} · {bytes(used)}
        </Text>
        <Progress value={Math.min(100, (used / all) * 100)} size="xs" aria-label={`${Math.round((used / all) * 100)} % of the workspace used`} />
      </div>
      <div className={classes['body']} ref={body}>
        {files.length === 0 ? (
          <Text size="sm" c="dimmed" py="md">
            Nothing is here yet. What the agent writes into its workspace appears here{mayWrite ? ', and what you give it.' : '.'}
          </Text>
        ) : (
          <FileLines id={id} files={files} choose={choose} remove={mayWrite ? remove : null} />
        )}
      </div>
      {mayWrite && <Adding workspace={workspace} upload={upload} />}
    </>
  )
}

function Adding({ workspace, upload }: { readonly workspace: Workspace; readonly upload: WorkspaceUpload }) {
  const { under, said, refused, add } = upload
  return (
    <div>
      {refused.length > 0 && (
        <Alert color="red" variant="light" mb="xs" p="xs" role="alert">
          {refused.slice(0, 5).map((sentence) => (
            <Text key={sentence} size="xs" style={{ overflowWrap: 'anywhere' }}>
              {sentence}
            </Text>
          ))}
          {refused.length > 5 && <Text size="xs">And {count(refused.length - 5)} more.</Text>}
        </Alert>
      )}
      <Group gap="xs" wrap="nowrap">
        <FileButton multiple onChange={(files) => void add(files.map((file) => ({ path: file.name, file })))}>
          {(props) => (
            <Button {...props} size="xs" variant="default" loading={under !== null} leftSection={<Icon name="plus" size={14} />} style={{ flex: 'none' }}>
              Add files
            </Button>
          )}
        </FileButton>
        <Text size="xs" c="dimmed" role="status">
          {under ? `${count(under.done)} of ${count(under.of)} are there …` : (said ?? `Or drop them here. ${limitsOf(workspace)}`)}
        </Text>
      </Group>
    </div>
  )
}
