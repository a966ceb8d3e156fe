import { Button, Group, Input, Text } from '@mantine/core'
import { isJsonObject } from '@koco/core'
import { ariaDescribedByIds, labelValue, type WidgetProps } from '@rjsf/utils'
import { useQueryClient } from '@tanstack/react-query'
import { useEffect, useRef, useState, type DragEvent } from 'react'
import { removeUpload } from '../api/files.ts'
import { notifyFailure } from '../app/notify.ts'
import { FileRow, SendingRow } from './file-row.tsx'
import { Entering } from './entering.ts'
import classes from './upload-field.module.css'
import { Sending, sendingOf } from './sending.ts'

/** A field for one file, several, or a folder: chosen or dropped, sent at once and resumably. Its value is the id of the upload, or a list of them. */
export function UploadField(props: WidgetProps) {
  const { id, label, hideLabel, required, rawErrors, options, schema } = props
  const { accept, max, folder, many } = readSchema(schema)
  const { ids, beginning, add, remove, changed } = useUploads(props, many)
  const [over, setOver] = useState(false)
  const chooser = useRef<HTMLInputElement>(null)
  const disabled = props.disabled === true || props.readonly === true
  const left = max - ids.length - beginning.length
  const drop = (event: DragEvent) => {
    event.preventDefault()
    setOver(false)
    if (!disabled) add([...event.dataTransfer.files].slice(0, Math.max(0, left)))
  }
  return (
    <Input.Wrapper
      id={id}
      label={labelValue(label || undefined, hideLabel, false)}
      required={required ?? false}
      description={options.description ?? schema.description}
      error={rawErrors && rawErrors.length > 0 ? rawErrors.join('\n') : undefined}
    >
      <div
        className={classes['zone']}
        data-over={over || undefined}
        onDragOver={(event) => {
          event.preventDefault()
          setOver(true)
        }}
        onDragLeave={() => setOver(false)}
        onDrop={drop}
      >
        <div role="list" aria-label="Files">
          {ids.map((one) => (
            <FileRow key={one} id={one} changed={changed} remove={() => remove(one)} disabled={disabled} />
          ))}
          {beginning.map((sending) => (
            <SendingRow key={sending.state.name} sending={sending} remove={() => remove(sending)} disabled={disabled} />
          ))}
        </div>
        {left > 0 && (
          <Group gap="xs" wrap="nowrap">
            <Button id={id} variant="default" size="xs" disabled={disabled} aria-describedby={ariaDescribedByIds(id)} onClick={() => chooser.current?.click()}>
              {folder ? 'Choose a folder' : many ? 'Choose files' : 'Choose a file'}
            </Button>
            <Text size="xs" c="dimmed">
              or drop {many ? 'them' : 'it'} here{accept.length > 0 && `: ${accept.join(', ')}`}
            </Text>
          </Group>
        )}
        <input
          ref={chooser}
          type="file"
          hidden
          multiple={many}
          accept={accept.join(',')}
          {...(folder && { webkitdirectory: '' })}
          onChange={(event) => {
            add([...(event.target.files ?? [])].slice(0, Math.max(0, left)))
            // So that the same file can be chosen again.
            event.target.value = ''
          }}
        />
      </div>
    </Input.Wrapper>
  )
}

function readSchema(schema: unknown) {
  const given = isJsonObject(schema) ? schema : {}
  const many = given['type'] === 'array'
  const one = many && isJsonObject(given['items']) ? given['items'] : given
  const accept = Array.isArray(one['accept']) ? one['accept'].filter((item) => typeof item === 'string') : []
  const max = many ? (typeof given['maxItems'] === 'number' ? given['maxItems'] : 100) : 1
  return { accept, max, many, folder: many && given['folder'] === true }
}

/** What the field holds: uploads with an id, which are its value, and those that have none yet. */
function useUploads(props: WidgetProps, many: boolean) {
  const client = useQueryClient()
  const [beginning, setBeginning] = useState<readonly Sending[]>([])
  const [, redraw] = useState(0)
  const ids = idsOf(props.value)
  const entering = enteringOf(props.registry.formContext)
  // Several uploads get their ids between two renderings; each must see the ids of the others.
  const latest = useRef(ids)
  useEffect(() => {
    latest.current = ids
    entering?.entered(ids)
  })
  useLeftover(beginning, entering)
  const set = (next: readonly string[]) => {
    latest.current = [...next]
    props.onChange(many ? [...next] : next[0])
  }
  const add = (files: readonly File[]) => {
    const sendings = files.map((file) => new Sending(file, { path: file.webkitRelativePath || file.name }))
    setBeginning((before) => [...before, ...sendings])
    for (const sending of sendings) {
      entering?.add(sending)
      sending.start((id) => {
        setBeginning((before) => before.filter((one) => one !== sending))
        set([...latest.current, id])
      })
    }
  }
  const remove = (what: string | Sending) => {
    const sending = typeof what === 'string' ? sendingOf(what) : what
    sending?.drop()
    if (sending) entering?.leave(sending)
    if (typeof what !== 'string') return setBeginning((before) => before.filter((one) => one !== what))
    set(latest.current.filter((one) => one !== what))
    // A file of an earlier run stays there.
    if (what.includes('/')) return
    client.removeQueries({ queryKey: ['upload', what] })
    removeUpload(what).catch((error: unknown) => notifyFailure('The file is still on the server; it expires by itself', error))
  }
  return { ids, beginning, add, remove, changed: () => redraw((count) => count + 1) }
}

/** A field that is taken off the form, as by the choice of another branch, keeps nobody waiting. */
function useLeftover(beginning: readonly Sending[], entering: Entering | undefined): void {
  const left = useRef(beginning)
  useEffect(() => {
    left.current = beginning
  })
  useEffect(() => () => left.current.forEach((sending) => entering?.leave(sending)), [entering])
}

function enteringOf(context: unknown): Entering | undefined {
  return isContext(context) ? context.entering : undefined
}

function isContext(context: unknown): context is { readonly entering: Entering } {
  return typeof context === 'object' && context !== null && 'entering' in context && context.entering instanceof Entering
}

function idsOf(value: unknown): string[] {
  if (typeof value === 'string' && value !== '') return [value]
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : []
}
