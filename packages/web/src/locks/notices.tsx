import { Button } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { openLocksQuery } from '../api/locks.ts'
import { createNews, keyOf, questionsOf } from './questions.ts'

/** Tells of new questions by the browser's notifications while nobody looks at the page, once they are allowed. A click leads to the inbox. */
export function useQuestionNotices(): void {
  const { data: locks } = useQuery(openLocksQuery)
  const [news] = useState(createNews)
  useEffect(() => {
    if (!locks) return
    for (const lock of news(questionsOf('for-me', locks))) {
      if (!('Notification' in window) || Notification.permission !== 'granted' || !document.hidden) continue
      const notice = new Notification(lock.name, { body: `${lock.flow} waits for your answer.`, tag: keyOf(lock), icon: '/favicon.svg' })
      notice.addEventListener('click', () => {
        window.focus()
        window.location.assign('/approvals')
      })
    }
  }, [locks, news])
}

/** Asks for the browser's permission; nothing where it was given, refused or does not exist. */
export function NoticeButton() {
  const [state, setState] = useState(() => ('Notification' in window ? Notification.permission : 'denied'))
  if (state !== 'default') return null
  return (
    <Button variant="default" onClick={() => void Notification.requestPermission().then(setState)}>
      Notify me of new questions
    </Button>
  )
}
