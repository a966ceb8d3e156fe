import type { ThemeProps } from '@rjsf/core'
import templates from '@rjsf/mantine/lib/templates/index.js'
import CheckboxesWidget from '@rjsf/mantine/lib/widgets/CheckboxesWidget.js'
import FileWidget from '@rjsf/mantine/lib/widgets/FileWidget.js'
import PasswordWidget from '@rjsf/mantine/lib/widgets/PasswordWidget.js'
import RadioWidget from '@rjsf/mantine/lib/widgets/RadioWidget.js'
import SelectWidget from '@rjsf/mantine/lib/widgets/SelectWidget.js'
import { lazyWidget } from './lazy-widget.tsx'
import { AddButton, DescriptionField, ErrorSummary, FieldErrors, FieldHelp, ListTitle, TitleField } from './templates.tsx'
import { CheckboxField, DateField, DateTimeField, TextareaField, TimeField } from './widgets.tsx'

/** Rarely used and large: fetched when a form has one. */
const ColorWidget = lazyWidget(() => import('@rjsf/mantine/lib/widgets/ColorWidget.js'))
const RangeWidget = lazyWidget(async () => ({ default: (await import('./range-field.tsx')).RangeField }))
const UploadWidget = lazyWidget(async () => ({ default: (await import('../files/upload-field.tsx')).UploadField }))

type Theme = ThemeProps<Record<string, unknown>>

/** The look of forms: the Mantine theme's parts that we use, one by one (its whole would bring a calendar of 80 kB), and ours in the place of the others. */
export const theme = {
  widgets: {
    CheckboxesWidget,
    ColorWidget,
    FileWidget,
    PasswordWidget,
    RadioWidget,
    RangeWidget,
    SelectWidget,
    upload: UploadWidget,
    CheckboxWidget: CheckboxField,
    DateWidget: DateField,
    TimeWidget: TimeField,
    DateTimeWidget: DateTimeField,
    TextareaWidget: TextareaField,
  },
  templates: {
    ...templates,
    DescriptionFieldTemplate: DescriptionField,
    TitleFieldTemplate: TitleField,
    ArrayFieldTitleTemplate: ListTitle,
    FieldHelpTemplate: FieldHelp,
    FieldErrorTemplate: FieldErrors,
    ErrorListTemplate: ErrorSummary,
    ButtonTemplates: { ...templates.ButtonTemplates, AddButton },
  },
} as unknown as Theme
