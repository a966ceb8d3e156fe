import { Alert, Text } from '@mantine/core'
import type { ErrorValue } from '@koco/core'
import classes from './error-value.module.css'

/** An error of a run: its name, its message, and the stack folded when there is one. */
export function ErrorValueView({ error, title }: { readonly error: ErrorValue; readonly title?: string }) {
  return (
    <Alert color="red" variant="light" title={title ?? error.name} className={classes['error']}>
      <Text size="sm" className={classes['message']}>
        {error.message}
      </Text>
      {error.code !== undefined && (
        <Text size="xs" c="dimmed" mt={4}>
          Code: {error.code}
        </Text>
      )}
      {error.stack !== undefined && (
        <details className={classes['stack']}>
          <summary>Where it happened</summary>
          <pre>{error.stack}</pre>
        </details>
      )}
    </Alert>
  )
}
