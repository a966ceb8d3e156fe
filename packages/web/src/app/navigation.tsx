import { Badge } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { ComponentType } from 'react'
import { openLocksQuery } from '../api/locks.ts'
import { FlowIcon, InboxIcon, RunsIcon, SettingsIcon, type IconProps } from './icons.tsx'
import { useTitleBadge } from './page.tsx'
import classes from './shell.module.css'

/** The pages of the navigation; the palette lists the same. */
export const PAGES = [
  { to: '/flows', label: 'Flows', icon: FlowIcon, letter: 'f' },
  { to: '/runs', label: 'Runs', icon: RunsIcon, letter: 'r' },
  { to: '/approvals', label: 'Approvals', icon: InboxIcon, letter: 'a' },
  { to: '/settings', label: 'Settings', icon: SettingsIcon, letter: 's' },
] as const

/** The links to the pages, with the number of questions that wait. */
export function Navigation() {
  const { data: locks = [] } = useQuery(openLocksQuery)
  useTitleBadge(locks.length)
  return (
    <nav aria-label="Pages">
      {PAGES.map((page) => (
        <NavigationItem key={page.to} {...page} badge={page.to === '/approvals' ? locks.length : 0} />
      ))}
    </nav>
  )
}

function NavigationItem({
  to,
  label,
  icon: Icon,
  badge,
}: {
  readonly to: string
  readonly label: string
  readonly icon: ComponentType<IconProps>
  readonly badge: number
}) {
  return (
    <Link to={to} className={classes['item']}>
      <Icon />
      {label}
      {badge > 0 && (
        <Badge size="sm" color="orange" variant="filled" ml="auto" aria-label={`${badge} waiting`}>
          {badge}
        </Badge>
      )}
    </Link>
  )
}
