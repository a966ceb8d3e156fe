import { CloseButton, Drawer, Group, Title } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import { lazy, Suspense } from 'react'
import type { Conversation } from '@koco/core/api'
import { Loading } from '../app/states.tsx'
import classes from './chat.module.css'

const WorkspacePanel = lazy(() => import('../workspace/workspace-panel.tsx').then((module) => ({ default: module.WorkspacePanel })))

/** From here on the workspace has room beside the talk. */
const WIDE = '(min-width: 87.5em)'

/** The workspace of a talk: beside it where there is room, else over it. */
export function WorkspaceSide(props: { readonly session: Conversation; readonly mayWrite: boolean; readonly opened: boolean; readonly onClose: () => void }) {
  const { session, mayWrite, opened, onClose } = props
  const isWide = useMediaQuery(WIDE, false, { getInitialValueInEffect: false })
  const panel = (
    <Suspense fallback={<Loading what="workspace" />}>
      <WorkspacePanel id={session.session_id} revision={session.revision} running={session.active_stream_id !== null} mayWrite={mayWrite} />
    </Suspense>
  )
  if (isWide) {
    return opened ? (
      <aside className={classes['side']} aria-label="Workspace">
        <Group justify="space-between" wrap="nowrap">
          <Title order={2} fz="md">
            Workspace
          </Title>
          <CloseButton aria-label="Close the workspace" onClick={onClose} />
        </Group>
        {panel}
      </aside>
    ) : null
  }
  return (
    <Drawer
      opened={opened}
      onClose={onClose}
      position="right"
      size="min(100%, 440px)"
      title="Workspace"
      closeButtonProps={{ 'aria-label': 'Close the workspace' }}
      classNames={{ content: classes['drawer'] ?? '', body: classes['drawerBody'] ?? '' }}
    >
      {panel}
    </Drawer>
  )
}
