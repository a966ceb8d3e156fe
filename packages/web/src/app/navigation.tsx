import { Badge } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { openLocksQuery } from '../api/locks.ts'
import { meQuery } from '../api/session.ts'
import { useQuestionNotices } from '../locks/notices.tsx'
import { Icon, type IconName } from './icons.tsx'
import { useTitleBadge } from './page.tsx'
import classes from './shell.module.css'

/** The pages of the navigation; the palette lists the same. */
const PAGES = [
  { to: '/flows', label: 'Flows', icon: 'flow', letter: 'f' },
  { to: '/runs', label: 'Runs', icon: 'runs', letter: 'r' },
  { to: '/chat', label: 'Chat', icon: 'chat', letter: 'h' },
  { to: '/approvals', label: 'Approvals', icon: 'inbox', letter: 'a' },
  { to: '/schedules', label: 'Schedules', icon: 'clock', letter: 'c' },
  { to: '/checkpoints', label: 'Checkpoints', icon: 'layers', letter: 'k' },
  { to: '/insights', label: 'Insights', icon: 'chart', letter: 'i' },
  { to: '/operations', label: 'Operations', icon: 'pulse', letter: 'o', operators: true },
  { to: '/users', label: 'Users', icon: 'users', letter: 'u', operators: true },
  { to: '/settings', label: 'Settings', icon: 'settings', letter: 's' },
] as const

/** The pages of the person who is signed in. */
export function usePages(): readonly (typeof PAGES)[number][] {
  const { data: me } = useQuery(meQuery)
  return PAGES.filter((page) => !('operators' in page) || me?.user.role === 'operator')
}

/** The links to the pages, with the number of questions that wait. */
export function Navigation() {
  const { data: locks = [] } = useQuery(openLocksQuery)
  const waiting = locks.filter((lock) => lock.for_me && lock.may_answer).length
  useTitleBadge(waiting)
  useQuestionNotices()
  const pages = usePages()
  return (
    <nav aria-label="Pages">
      {pages.map((page) => (
        <NavigationItem key={page.to} to={page.to} label={page.label} icon={page.icon} badge={page.to === '/approvals' ? waiting : 0} />
      ))}
    </nav>
  )
}

function NavigationItem({ to, label, icon, badge }: { readonly to: string; readonly label: string; readonly icon: IconName; readonly badge: number }) {
  return (
    <Link to={to} className={classes['item']}>
      <Icon name={icon} />
      {label}
      {badge > 0 && (
        <Badge size="sm" color="orange" variant="filled" ml="auto" aria-label={`${badge} waiting`}>
          {badge}
        </Badge>
      )}
    </Link>
  )
}
