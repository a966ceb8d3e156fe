import { useParams } from '@tanstack/react-router'
import { usePageTitle } from '../app/page.tsx'
import { Empty } from '../app/states.tsx'
import classes from './chat.module.css'
import { NewSessionButton, SessionList } from './session-list.tsx'
import { Talk } from './talk.tsx'

/** Conversations with agents: the sessions at the left, one of them open. On a phone one of both. */
export function ChatPage() {
  const { id } = useParams({ strict: false })
  usePageTitle('Chat')
  return (
    <div className={classes['page']} data-shows={id === undefined ? 'list' : 'talk'}>
      <SessionList current={id} />
      <section className={classes['talk']} aria-label="Conversation">
        {id === undefined ? (
          <Empty title="Talk with an agent">
            Each thing that you say is a run: watched live, stoppable, and nothing of it is lost. <NewSessionButton compact={false} />
          </Empty>
        ) : (
          <Talk key={id} id={id} />
        )}
      </section>
    </div>
  )
}
