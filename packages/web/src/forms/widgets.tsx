import { Checkbox, Textarea, TextInput } from '@mantine/core'
import { ariaDescribedByIds, labelValue, localToUTC, utcToLocal, type WidgetProps } from '@rjsf/utils'
import type { ChangeEvent } from 'react'

/** The properties that every field of ours takes from the form's. */
export function common(props: WidgetProps) {
  const { id, name, label, hideLabel, required, disabled, readonly, autofocus, placeholder, rawErrors, options, schema } = props
  return {
    id,
    name,
    label: labelValue(label || undefined, hideLabel, false),
    required,
    disabled: disabled || readonly,
    autoFocus: autofocus,
    placeholder: placeholder || undefined,
    description: hideLabel ? undefined : (options.description ?? schema.description),
    error: rawErrors && rawErrors.length > 0 ? rawErrors.join('\n') : undefined,
    'aria-describedby': ariaDescribedByIds(id),
    onBlur: () => props.onBlur(id, props.value),
    onFocus: () => props.onFocus(id, props.value),
  }
}

/** A date by the browser's own field: it speaks the person's language and works on a phone. The value is `YYYY-MM-DD`. */
export function DateField(props: WidgetProps) {
  return <TextInput type="date" {...common(props)} value={props.value ?? ''} onChange={(event) => props.onChange(event.target.value || undefined)} />
}

/** A time of day, `HH:MM` or `HH:MM:SS`. */
export function TimeField(props: WidgetProps) {
  const change = (event: ChangeEvent<HTMLInputElement>) => {
    const { value } = event.target
    props.onChange(value === '' ? undefined : value.length === 5 ? `${value}:00` : value)
  }
  return <TextInput type="time" step={1} {...common(props)} value={props.value ?? ''} onChange={change} />
}

/** A moment: entered in the person's own zone, kept in UTC (RFC 3339). */
export function DateTimeField(props: WidgetProps) {
  const change = (event: ChangeEvent<HTMLInputElement>) => props.onChange(event.target.value === '' ? undefined : localToUTC(event.target.value))
  return <TextInput type="datetime-local" step={1} {...common(props)} value={props.value ? utcToLocal(String(props.value)) : ''} onChange={change} />
}

/** Text of several lines; grows with what is written. */
export function TextareaField(props: WidgetProps) {
  const { options } = props
  const rows = typeof options.rows === 'number' ? options.rows : 4
  return (
    <Textarea
      autosize
      minRows={rows}
      maxRows={24}
      {...common(props)}
      value={props.value ?? ''}
      onChange={(event) => props.onChange(event.target.value === '' ? options.emptyValue : event.target.value)}
    />
  )
}

/** A yes or no; the help stands below its label. */
export function CheckboxField(props: WidgetProps) {
  const { required: _required, onBlur, onFocus, ...rest } = common(props)
  const checked = props.value === true || props.value === 'true'
  return <Checkbox {...rest} onBlur={onBlur} onFocus={onFocus} checked={checked} onChange={(event) => props.onChange(event.currentTarget.checked)} />
}
