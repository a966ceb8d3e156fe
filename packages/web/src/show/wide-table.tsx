import { Table } from '@mantine/core'
import type { ReactNode } from 'react'

/** A table that scrolls sideways by itself where there is no room; by the keyboard too. */
export function WideTable({ label, minWidth, children }: { readonly label: string; readonly minWidth: number; readonly children: ReactNode }) {
  return (
    <Table.ScrollContainer minWidth={minWidth} scrollAreaProps={{ viewportProps: { tabIndex: 0, role: 'region', 'aria-label': label } }}>
      <Table verticalSpacing="xs">{children}</Table>
    </Table.ScrollContainer>
  )
}
