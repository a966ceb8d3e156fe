import { ActionIcon, CopyButton, Tooltip } from '@mantine/core'
import { Icon } from '../app/icons.tsx'

/** A small button that copies a text and says so. `what` names it: "Copy id". */
export function Copy({ value, what }: { readonly value: string; readonly what: string }) {
  return (
    <CopyButton value={value} timeout={1500}>
      {({ copied, copy }) => (
        <Tooltip label={copied ? 'Copied' : `Copy ${what}`} withArrow>
          <ActionIcon variant="subtle" color={copied ? 'teal' : 'gray'} size="sm" onClick={copy} aria-label={copied ? 'Copied' : `Copy ${what}`}>
            {copied ? <Icon name="check" size={14} /> : <Icon name="copy" size={14} />}
          </ActionIcon>
        </Tooltip>
      )}
    </CopyButton>
  )
}
