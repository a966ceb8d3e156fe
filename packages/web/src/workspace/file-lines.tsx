import { ActionIcon, Button, Text, UnstyledButton } from '@mantine/core'
import { useState } from 'react'
import type { RunFile } from '@koco/core/api'
import { workspaceFileUrl } from '../api/workspace.ts'
import { Icon } from '../app/icons.tsx'
import { bytes, count } from '../show/format.ts'
import { treeLines, type TreeLine } from './tree.ts'
import classes from './workspace.module.css'

/** With so many files folders begin closed. */
const OPEN_FILES_MAX = 60
const LINES_MAX = 1_000

type Acts = { readonly choose: (path: string) => void; readonly remove: ((path: string) => void) | null }

/** The files of a workspace by folder: to look at, to download, to delete. */
export function FileLines({ id, files, ...acts }: { readonly id: string; readonly files: readonly RunFile[] } & Acts) {
  const [turned, setTurned] = useState<ReadonlySet<string>>(new Set())
  const startsOpen = files.length <= OPEN_FILES_MAX
  const isOpen = (path: string) => turned.has(path) !== startsOpen
  const turn = (path: string) => setTurned((before) => (before.has(path) ? new Set([...before].filter((one) => one !== path)) : new Set(before).add(path)))
  const lines = treeLines(files, isOpen)
  return (
    <>
      <ul className={classes['lines']} aria-label="Workspace files">
        {lines
          .slice(0, LINES_MAX)
          .map((line) =>
            line.kind === 'folder' ? (
              <FolderLine key={`${line.path}/`} line={line} isOpen={isOpen(line.path)} turn={() => turn(line.path)} />
            ) : (
              <FileLine key={line.path} id={id} line={line} {...acts} />
            ),
          )}
      </ul>
      {lines.length > LINES_MAX && (
        <Text size="xs" c="dimmed" mt="xs">
          The first {count(LINES_MAX)} lines. Close folders to see the others; the API lists them all.
        </Text>
      )}
    </>
  )
}

function FolderLine(props: { readonly line: Extract<TreeLine, { kind: 'folder' }>; readonly isOpen: boolean; readonly turn: () => void }) {
  const { line, isOpen, turn } = props
  return (
    <li className={classes['line']} style={{ paddingLeft: 4 + line.depth * 16 }}>
      <UnstyledButton className={classes['open'] ?? ''} aria-expanded={isOpen} onClick={turn}>
        <span className={isOpen ? classes['turned'] : undefined} style={{ display: 'flex' }}>
          <Icon name="chevron" size={14} />
        </span>
        <span>{line.name}</span>
      </UnstyledButton>
      <Text size="xs" c="dimmed" style={{ whiteSpace: 'nowrap' }}>
        {count(line.files)} · {bytes(line.size)}
      </Text>
    </li>
  )
}

function FileLine({ id, line, choose, remove }: { readonly id: string; readonly line: Extract<TreeLine, { kind: 'file' }> } & Acts) {
  const [sure, setSure] = useState(false)
  const { path, name, file } = line
  return (
    <li className={classes['line']} style={{ paddingLeft: 24 + line.depth * 16 }}>
      <UnstyledButton className={classes['open'] ?? ''} title={path} data-path={path} onClick={() => choose(path)}>
        <span>{name}</span>
      </UnstyledButton>
      {sure ? (
        <>
          <Button size="compact-xs" color="red" variant="light" autoFocus onClick={() => remove?.(path)} aria-label={`Delete ${path} for good`}>
            Delete
          </Button>
          <Button size="compact-xs" variant="default" onClick={() => setSure(false)}>
            Keep
          </Button>
        </>
      ) : (
        <>
          <Text size="xs" c="dimmed" style={{ whiteSpace: 'nowrap' }}>
            {bytes(file.size)}
          </Text>
          <ActionIcon component="a" href={workspaceFileUrl(id, path)} download={name} variant="subtle" color="gray" aria-label={`Download ${path}`}>
            <Icon name="down" size={14} />
          </ActionIcon>
          {remove && (
            <ActionIcon variant="subtle" color="gray" aria-label={`Delete ${path}`} onClick={() => setSure(true)}>
              <Icon name="close" size={14} />
            </ActionIcon>
          )}
        </>
      )}
    </li>
  )
}
