import { Box, Button, Stack, Text, Title } from '@mantine/core'
import type {
  ArrayFieldTitleProps,
  DescriptionFieldProps,
  ErrorListProps,
  FieldErrorProps,
  FieldHelpProps,
  IconButtonProps,
  TitleFieldProps,
} from '@rjsf/utils'
import { descriptionId } from '@rjsf/utils'
import { Markdown } from '../show/markdown.tsx'

/** Help texts of a schema are Markdown. */
export function DescriptionField({ id, description }: DescriptionFieldProps) {
  if (!description) return null
  return (
    <Box id={id} mb="xs" c="dimmed">
      {typeof description === 'string' ? <Markdown text={description} size="sm" /> : description}
    </Box>
  )
}

/** The title of a group of fields. */
export function TitleField({ id, title }: TitleFieldProps) {
  return title ? (
    <Title id={id} order={3} mt="xs" mb={4}>
      {title}
    </Title>
  ) : null
}

/** The title of a list, in its frame. */
export function ListTitle({ title, required }: ArrayFieldTitleProps) {
  return (
    <>
      {title}
      {required && <span aria-hidden> *</span>}
    </>
  )
}

/** Help below a field. */
export function FieldHelp({ fieldPathId, help }: FieldHelpProps) {
  if (!help) return null
  return (
    <Box id={`${descriptionId(fieldPathId)}-help`} c="dimmed" fz="xs" mt={4}>
      {typeof help === 'string' ? <Markdown text={help} size="sm" /> : help}
    </Box>
  )
}

/** Faults that belong to a group rather than to one field; a field shows its own. */
export function FieldErrors({ errors, schema, uiSchema }: FieldErrorProps) {
  // A widget for a whole list says its faults by itself.
  if (uiSchema?.['ui:widget'] !== undefined) return null
  const own = schema.type === 'object' || schema.type === 'array' ? (errors ?? []) : []
  if (own.length === 0) return null
  return (
    <Text c="red" size="xs" role="alert">
      {own.map(String).join('; ')}
    </Text>
  )
}

/** Says above the form how many fields need attention; each says what at its place. */
export function ErrorSummary({ errors }: ErrorListProps) {
  return (
    <Stack gap={2} mb="sm" role="alert">
      <Text c="red" size="sm" fw={600}>
        {errors.length === 1 ? 'One field needs attention.' : `${errors.length} fields need attention.`}
      </Text>
    </Stack>
  )
}

/** Adds an item to a list. */
export function AddButton({ id, onClick, disabled }: IconButtonProps) {
  return (
    <Button id={id ?? ''} variant="default" size="xs" onClick={onClick} disabled={disabled ?? false}>
      Add
    </Button>
  )
}
