import { Button, Group } from '@mantine/core'

/** What was done, and the way to take it back. */
export function Undo({ message, undo }: { readonly message: string; readonly undo: () => void }) {
  return (
    <Group justify="space-between" wrap="nowrap" gap="sm">
      {message}
      <Button size="compact-xs" variant="light" onClick={undo}>
        Undo
      </Button>
    </Group>
  )
}
