import { ActionIcon, Group, Progress, Stack, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useRef, useState, useSyncExternalStore, type ReactNode } from 'react'
import { uploadQuery } from '../api/files.ts'
import { Icon } from '../app/icons.tsx'
import { bytes } from '../show/format.ts'
import { Sending, sendingOf } from './sending.ts'

type Actions = { readonly remove: () => void; readonly disabled: boolean }

/** A file of a form: on its way, there, or begun before the page was opened anew. */
export function FileRow({ id, changed, ...actions }: { readonly id: string; readonly changed: () => void } & Actions) {
  const sending = sendingOf(id)
  const [fid, , ...names] = id.split('/')
  if (names.length > 0) return <Row name={names.join('/')} words={`of run ${fid ?? ''}`} percent={null} {...actions} />
  return sending ? <SendingRow sending={sending} {...actions} /> : <StoredRow id={id} changed={changed} {...actions} />
}

/** A file that this page sends. */
export function SendingRow({ sending, remove, disabled }: { readonly sending: Sending } & Actions) {
  const { name, size, offset, phase, problem } = useSyncExternalStore(sending.subscribe, () => sending.state)
  const percent = size === 0 ? 100 : Math.floor((offset / size) * 100)
  const words = {
    waiting: 'waits for its turn',
    sending: `${percent} % of ${bytes(size)}`,
    paused: `paused at ${percent} %`,
    done: bytes(size),
    failed: problem ?? '',
  }
  return (
    <Row name={name} words={words[phase]} bad={phase === 'failed'} percent={phase === 'done' ? null : percent} remove={remove} disabled={disabled}>
      {phase === 'sending' && <Act label={`Pause ${name}`} icon="pause" act={() => sending.pause()} />}
      {(phase === 'paused' || phase === 'failed') && (
        <Act label={`Go on with ${name}`} icon={phase === 'paused' ? 'play' : 'retry'} act={() => sending.resume()} />
      )}
      {phase === 'done' && <Icon name="check" size={16} />}
    </Row>
  )
}

/** A file that the server has, or has a part of: to go on the page needs the file again, which a reload made it forget. */
function StoredRow({ id, changed, remove, disabled }: { readonly id: string; readonly changed: () => void } & Actions) {
  const { data, isPending } = useQuery(uploadQuery(id))
  const chooser = useRef<HTMLInputElement>(null)
  const [other, setOther] = useState(false)
  if (isPending) return <Row name="…" words="" percent={null} remove={remove} disabled={disabled} />
  if (!data)
    return <Row name="A file that is gone" words="It has expired or was taken away; choose it again." bad percent={null} remove={remove} disabled={disabled} />
  if (data.complete) {
    return (
      <Row name={data.name} words={bytes(data.size)} percent={null} remove={remove} disabled={disabled}>
        <Icon name="check" size={16} />
      </Row>
    )
  }
  const goOn = (file: File | undefined) => {
    if (!file) return
    setOther(file.size !== data.size)
    if (file.size !== data.size) return
    new Sending(file, { path: data.name, id }).start()
    changed()
  }
  const percent = Math.floor((data.offset / data.size) * 100)
  return (
    <Row
      name={data.name}
      words={`${other ? 'That was another file. ' : ''}${percent} % is here. Choose the same file (${bytes(data.size)}) to go on.`}
      bad={other}
      percent={percent}
      remove={remove}
      disabled={disabled}
    >
      <input ref={chooser} type="file" hidden onChange={(event) => goOn(event.target.files?.[0])} />
      <Act label={`Go on with ${data.name}`} icon="play" act={() => chooser.current?.click()} />
    </Row>
  )
}

type RowProps = Actions & {
  readonly name: string
  readonly words: string
  readonly percent: number | null
  readonly bad?: boolean
  readonly children?: ReactNode
}

function Row({ name, words, percent, bad = false, children, remove, disabled }: RowProps) {
  return (
    <Stack gap={4} py={6} role="listitem">
      <Group gap="xs" wrap="nowrap">
        <Text size="sm" truncate style={{ flex: 1 }} title={name}>
          {name}
        </Text>
        <Text size="xs" c={bad ? 'red' : 'dimmed'} {...(bad && { role: 'alert' })}>
          {words}
        </Text>
        {children}
        <ActionIcon variant="subtle" color="gray" size="sm" aria-label={`Take out ${name}`} onClick={remove} disabled={disabled}>
          <Icon name="close" size={14} />
        </ActionIcon>
      </Group>
      {percent !== null && <Progress value={percent} size="xs" aria-label={`${name}: ${percent} %`} />}
    </Stack>
  )
}

function Act({ label, icon, act }: { readonly label: string; readonly icon: 'pause' | 'play' | 'retry'; readonly act: () => void }) {
  return (
    <ActionIcon variant="subtle" size="sm" aria-label={label} onClick={act}>
      <Icon name={icon} size={14} />
    </ActionIcon>
  )
}
