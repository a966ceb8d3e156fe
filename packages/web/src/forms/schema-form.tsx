import { Button, Group, Stack } from '@mantine/core'
import { isJsonObject, type Json } from '@koco/core'
import { withTheme } from '@rjsf/core'
import { useMemo, useState, type ReactElement, type ReactNode } from 'react'
import { ApiProblem } from '../api/problem.ts'
import { Failure, Loading } from '../app/states.tsx'
import { Entering } from '../files/entering.ts'
import { Markdown } from '../show/markdown.tsx'
import { errorSchemaOf } from './field-errors.ts'
import { formSchema } from './form-schema.ts'
import classes from './schema-form.module.css'
import { theme } from './theme.ts'
import { uiSchemaOf } from './ui-schema.ts'
import { useSubmit } from './use-submit.ts'
import { validator } from './validator.ts'

type Data = Record<string, unknown>

const ThemedForm = withTheme<Data>(theme)

/** What a form asks, what it holds, and where it goes. `error` of the server is shown at its fields. */
export type SchemaFormProps = {
  readonly schema: Json
  readonly value: Json
  readonly onChange: (value: Json) => void
  readonly onSubmit: (value: Json) => void
  readonly submit: ReactNode
  readonly busy: boolean
  readonly error: unknown
  readonly disabled?: boolean
  readonly idPrefix?: string
  /** Stands beside the button. */
  readonly extra?: ReactNode
  /** Stands between the fields and the button. */
  readonly before?: ReactNode
}

/** A form made of a JSON Schema: the same for starting a run and for answering a question. Checks in the browser first; the server's refusals stand at the fields too. */
export function SchemaForm(props: SchemaFormProps) {
  const { schema, value } = props
  const shown = useMemo(() => formSchema(schema), [schema])
  const uiSchema = useMemo(() => ({ ...uiSchemaOf(shown, helpText), 'ui:submitButtonOptions': { norender: true } }), [shown])
  const isObject = isObjectSchema(schema)
  const [entering] = useState(() => new Entering())
  const { ready, held, ...handlers } = useSubmit(schema, entering)
  const error = held.error ?? props.error
  const fields = useMemo(() => (error instanceof ApiProblem ? error.fields : []), [error])
  const extraErrors = useMemo(() => errorSchemaOf(fields, schema), [fields, schema])
  if (!ready) return <Loading what="form" />
  return (
    <Stack gap="md" {...handlers}>
      {error !== null && error !== undefined && fields.length === 0 && <Failure error={error} />}
      <ThemedForm
        className={classes['form'] ?? ''}
        idPrefix={props.idPrefix ?? 'field'}
        schema={shown}
        uiSchema={uiSchema}
        validator={validator}
        formData={(isObject && !isJsonObject(value) ? {} : value) as Data}
        formContext={{ entering }}
        extraErrors={extraErrors}
        extraErrorsBlockSubmit={false}
        disabled={props.disabled ?? false}
        noHtml5Validate
        // The branch that a person has chosen brings the constants that tell it apart, however fast they type on.
        experimental_defaultFormStateBehavior={{ constAsDefaults: 'always' }}
        focusOnFirstError
        showErrorList="top"
        onChange={(event) => props.onChange((event.formData ?? {}) as Json)}
        // What is wrong stands at the fields; the library would write it to the console.
        onError={() => undefined}
        onSubmit={(event) => props.onSubmit((event.formData ?? {}) as Json)}
      >
        {props.before}
        <Group mt="md" gap="sm">
          <Button type="submit" loading={props.busy || held.waits} disabled={props.disabled ?? false}>
            {props.submit}
          </Button>
          {props.extra}
        </Group>
      </ThemedForm>
    </Stack>
  )
}

function helpText(text: string): ReactElement {
  return <Markdown text={text} size="sm" />
}

function isObjectSchema(schema: Json): boolean {
  return !isJsonObject(schema) || schema['type'] === 'object' || schema['properties'] !== undefined
}
