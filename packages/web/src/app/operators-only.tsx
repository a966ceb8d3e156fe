import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { meQuery } from '../api/session.ts'
import { Page } from './page.tsx'
import { Empty } from './states.tsx'

/** A page that only operators see; others are told so. The server decides by itself. */
export function OperatorsOnly({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  const { data: me } = useQuery(meQuery)
  if (!me) return null
  if (me.user.role === 'operator') return <>{children}</>
  return (
    <Page title={title}>
      <Empty title="For operators only">You are signed in as {me.user.role}. An operator of this installation can look here, or give you the role.</Empty>
    </Page>
  )
}
