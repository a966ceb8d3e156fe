import { Alert, Button, Text } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { Failure } from './states.tsx'

const MISSING_PART = /dynamically imported module|importing a module script|preload css/i

/** True when a part of the page could not be fetched: the server has another version by now, and the parts of this one are gone. */
function isOutdated(error: unknown): boolean {
  return error instanceof Error && MISSING_PART.test(error.message)
}

/** Offers to load the page anew as soon as a part of it cannot be fetched, also one that was only fetched ahead. */
export function offerReload(target: Window): void {
  target.addEventListener('vite:preloadError', (event) => {
    if (!isOutdated((event as Event & { payload?: unknown }).payload)) return
    notifications.show({ id: 'outdated', color: 'blue', title: 'koco was updated', message: <Reload />, autoClose: false })
  })
}

/** What stands in the place of a page that broke: the fault, or the offer to load the new version. */
export function PageFailure({ error, reset }: { readonly error: unknown; readonly reset: () => void }) {
  if (!isOutdated(error)) return <Failure error={error} retry={reset} />
  return (
    <Alert color="blue" variant="light" title="koco was updated" role="alert">
      <Reload />
    </Alert>
  )
}

function Reload() {
  return (
    <>
      <Text size="sm">A part of this page could not be fetched; it is probably from before an update. What you entered into forms is kept.</Text>
      <Button size="xs" mt="xs" onClick={() => location.reload()}>
        Load the page anew
      </Button>
    </>
  )
}
