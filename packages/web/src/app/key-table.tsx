import { Table, type StyleProp } from '@mantine/core'
import { KEYS } from './keys.ts'

/** The keys that work everywhere and what they do. `keysWidth`: of their column, in pixels or a part of the whole. */
export function KeyTable({ keysWidth }: { readonly keysWidth: StyleProp<number | string> }) {
  return (
    <Table withRowBorders={false} verticalSpacing={4}>
      <Table.Tbody>
        {KEYS.map((key) => (
          <Table.Tr key={key.keys}>
            <Table.Td w={keysWidth} ff="monospace" fz="sm" style={{ verticalAlign: 'top' }}>
              {key.keys}
            </Table.Td>
            <Table.Td>{key.does}</Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  )
}
