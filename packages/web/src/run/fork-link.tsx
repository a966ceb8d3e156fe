import { Anchor } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { isJsonObject } from '@koco/core'
import type { TimelineEvent } from '@koco/core/api'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { meQuery } from '../api/session.ts'
import { ForkDialog } from './fork-dialog.tsx'

/** Leads from an event to a fork that begins there, for whom may start runs. */
export function ForkLink({ event }: { readonly event: TimelineEvent }) {
  const { data: me } = useQuery(meQuery)
  const [opened, { open, close }] = useDisclosure(false)
  if (me === undefined || me?.user.role === 'viewer') return null
  return (
    <>
      <Anchor component="button" type="button" size="xs" onClick={open}>
        Fork from here
      </Anchor>
      {opened && <ForkDialog fid={event.fid} at={event.position} close={close} />}
    </>
  )
}

/** Where a fork comes from, as its `meta` event tells; nothing for other events. */
export function ForkedFrom({ event }: { readonly event: TimelineEvent }) {
  const from = event.kind === 'meta' && isJsonObject(event.data) ? event.data['forked_from'] : undefined
  if (!isJsonObject(from) || typeof from['fid'] !== 'string') return null
  return (
    <>
      <Anchor href={`/runs/${from['fid']}`} size="xs">
        Forked from another run
      </Anchor>
      <Anchor component={Link} to="/compare" {...({ search: { a: from['fid'], b: event.fid } } as object)} size="xs">
        Compare with it
      </Anchor>
    </>
  )
}
