import { Table } from '@mantine/core'
import type { ReactNode } from 'react'
import classes from './wide-table.module.css'

/** A column: its name, at the left or, with `right`, at the right. One without a name has the actions of a row. */
export type Head = string | { readonly name: string; readonly right: true }

type Props = { readonly label: string; readonly minWidth: number; readonly children: ReactNode }

/** A table that scrolls sideways by itself where there is no room; by the keyboard too. */
export function WideTable({ label, minWidth, children }: Props) {
  return (
    <Frame label={label}>
      <Table verticalSpacing="xs" className={classes['table'] ?? ''} style={{ '--least': `${minWidth}px` }}>
        {children}
      </Table>
    </Frame>
  )
}

/** A table with one cell for each head (at most nine) in each row: wide it scrolls as WideTable does, on a phone each row stands as a card, each cell after the name of its column. */
export function RowTable({ label, minWidth, heads, children }: Props & { readonly heads: readonly Head[] }) {
  const names = heads.map((head) => (typeof head === 'string' ? head : head.name))
  const style = Object.fromEntries(names.map((name, index) => [`--head-${index + 1}`, JSON.stringify(name)]))
  return (
    <Frame label={label}>
      <Table verticalSpacing="xs" className={`${classes['table'] ?? ''} ${classes['stacks'] ?? ''}`} style={{ '--least': `${minWidth}px`, ...style }}>
        <Table.Thead>
          <Table.Tr>
            {heads.map((head, index) =>
              names[index] === '' ? (
                <Table.Th key={index} aria-label="Actions" />
              ) : (
                <Table.Th key={index} ta={typeof head === 'string' ? 'left' : 'right'}>
                  {names[index]}
                </Table.Th>
              ),
            )}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>{children}</Table.Tbody>
      </Table>
    </Frame>
  )
}

function Frame({ label, children }: Omit<Props, 'minWidth'>) {
  return (
    <Table.ScrollContainer minWidth={0} scrollAreaProps={{ viewportProps: { tabIndex: 0, role: 'region', 'aria-label': label } }}>
      {children}
    </Table.ScrollContainer>
  )
}
