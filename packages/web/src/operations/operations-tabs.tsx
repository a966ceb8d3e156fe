import { Tabs } from '@mantine/core'
import { useLocation, useNavigate } from '@tanstack/react-router'

const PAGES = [
  { to: '/operations', label: 'Health' },
  { to: '/operations/budgets', label: 'Budgets' },
  { to: '/webhooks', label: 'Webhooks' },
  { to: '/operations/audit', label: 'Audit log' },
] as const

/** Leads from one page of operations to another. */
export function OperationsTabs() {
  const { pathname } = useLocation()
  const navigate = useNavigate()
  return (
    <Tabs value={pathname} onChange={(to) => void navigate({ to: to ?? '/operations' })}>
      <Tabs.List aria-label="Pages of operations">
        {PAGES.map(({ to, label }) => (
          <Tabs.Tab key={to} value={to}>
            {label}
          </Tabs.Tab>
        ))}
      </Tabs.List>
    </Tabs>
  )
}
