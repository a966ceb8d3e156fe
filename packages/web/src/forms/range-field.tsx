import { Group, Input, Slider, Text } from '@mantine/core'
import { rangeSpec, type WidgetProps } from '@rjsf/utils'
import { common } from './widgets.tsx'

/** A number between two ends, by a slider that says its value. */
export function RangeField(props: WidgetProps) {
  const { id, label, required, disabled, description, error, onBlur, onFocus } = common(props)
  const { min = 0, max = 100, step } = rangeSpec(props.schema)
  const value = typeof props.value === 'number' ? props.value : min
  return (
    <Input.Wrapper label={label} required={required ?? false} description={description} error={error} labelElement="div" labelProps={{ id: `${id}-label` }}>
      <Group wrap="nowrap" gap="md">
        <Slider
          flex={1}
          thumbProps={{ id, 'aria-labelledby': `${id}-label` }}
          label={null}
          min={min}
          max={max}
          step={step ?? (Number.isInteger(max - min) && max - min > 1 ? 1 : (max - min) / 100)}
          value={value}
          disabled={disabled ?? false}
          onChange={props.onChange}
          onBlur={onBlur}
          onFocus={onFocus}
        />
        <Text size="sm" miw={32} ta="right" style={{ fontVariantNumeric: 'tabular-nums' }}>
          {value}
        </Text>
      </Group>
    </Input.Wrapper>
  )
}
