import type { Message } from '@koco/core/api'
import { ActionIcon, Alert, Badge, Tooltip } from '@mantine/core'
import { memo } from 'react'
import { Icon, type IconName } from '../app/icons.tsx'
import { Copy } from '../show/copy.tsx'
import { JsonBlock, TextBlock } from '../show/json.tsx'
import { Markdown } from '../show/markdown.tsx'
import classes from './chat.module.css'
import { callsOf, imagesOf, textOf, type ToolCall } from './content.ts'

/** What can be done from a message; absent where it cannot be done now. */
export type MessageActions = { readonly onFork?: () => void; readonly onEdit?: () => void; readonly onRetry?: () => void }

/** One message with what belongs to it: reasoning and calls of tools folded, pictures, what came of each call. */
export const MessageView = memo(function MessageView(props: {
  readonly message: Message
  /** What the calls of this message gave, by their id. */
  readonly outputs: ReadonlyMap<string, string>
  readonly live?: boolean
  readonly actions?: MessageActions
}) {
  const { message, outputs, live = false, actions } = props
  const text = textOf(message.content)
  const calls = callsOf(message['tool_calls'])
  const reasoning = typeof message['reasoning'] === 'string' ? message['reasoning'] : ''
  return (
    <article className={classes['row']} aria-label={message.role === 'user' ? 'You' : 'Assistant'}>
      <div className={classes['message']} data-role={message.role} data-live={live}>
        {reasoning !== '' && <Fold title="Reasoning" body={<TextBlock text={reasoning} what="reasoning" />} />}
        {text !== '' && (message.role === 'user' ? <PlainText text={text} /> : <Markdown text={text} />)}
        {imagesOf(message.content).map((url) => (
          <img key={url.slice(0, 200)} src={url} alt="Attached" className={classes['picture']} />
        ))}
        {calls.map((call) => (
          <CallView key={call.id} call={call} output={outputs.get(call.id)} />
        ))}
        <Marks message={message} />
        {typeof message['error'] === 'string' && (
          <Alert color="red" variant="light" p="xs" mt={6} icon={<Icon name="alert" size={16} />}>
            {message['error']}
          </Alert>
        )}
      </div>
      {/* Of a message that only calls tools there is nothing to copy, and it is no place to go on from. */}
      {actions && (text !== '' || message.role === 'user') && (
        <div className={classes['actions']}>
          <Copy value={text} what="text" />
          {actions.onRetry && <Action icon="again" label="Answer this again" onClick={actions.onRetry} />}
          {actions.onEdit && <Action icon="pencil" label="Edit and say it in a fork" onClick={actions.onEdit} />}
          {actions.onFork && <Action icon="flow" label="Fork here" onClick={actions.onFork} />}
        </div>
      )}
    </article>
  )
})

function PlainText({ text }: { readonly text: string }) {
  return <div style={{ whiteSpace: 'pre-wrap' }}>{text}</div>
}

function Action({ icon, label, onClick }: { readonly icon: IconName; readonly label: string; readonly onClick: () => void }) {
  return (
    <Tooltip label={label} withArrow>
      <ActionIcon variant="subtle" color="gray" size="sm" aria-label={label} onClick={onClick}>
        <Icon name={icon} size={14} />
      </ActionIcon>
    </Tooltip>
  )
}

function CallView({ call, output }: { readonly call: ToolCall; readonly output: string | undefined }) {
  const body = (
    <>
      <JsonBlock value={call.input} what="input" />
      {output !== undefined && <TextBlock text={output} what="output" />}
    </>
  )
  return <Fold title={`${call.name}${output === undefined ? ' …' : ''}`} body={body} />
}

function Fold({ title, body }: { readonly title: string; readonly body: React.ReactNode }) {
  return (
    <details className={classes['fold']}>
      <summary>{title}</summary>
      {body}
    </details>
  )
}

function Marks({ message }: { readonly message: Message }) {
  const marks = [
    ...(message['interrupted'] === true ? ['interrupted'] : []),
    ...(message['steer'] === true ? ['said while it answered'] : []),
    ...(message['pending'] === true ? ['said, not heard yet'] : []),
    ...(message['summary'] === true ? ['summary of what was said before'] : []),
    ...(message['damaged'] === true ? ['damaged in the store'] : []),
    ...(message['cut'] === true ? ['cut: too long'] : []),
  ]
  return marks.map((mark) => (
    <Badge key={mark} size="sm" variant="light" color="gray" tt="none" mt={4} mr={4}>
      {mark}
    </Badge>
  ))
}
