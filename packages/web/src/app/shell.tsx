import { Alert, AppShell, Burger, Group, Kbd, ScrollArea, Text, UnstyledButton } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { Link, Outlet, useLocation } from '@tanstack/react-router'
import { lazy, Suspense, useEffect } from 'react'
import { meQuery } from '../api/session.ts'
import { AccountMenu } from './account-menu.tsx'
import { Icon } from './icons.tsx'
import { openPalette } from './keys.ts'
import { Navigation } from './navigation.tsx'
import classes from './shell.module.css'

const Palette = lazy(() => import('./palette.tsx').then((module) => ({ default: module.Palette })))

/** The frame around every page of somebody signed in: navigation at the left (behind a button on a phone), the page, the palette. */
export function Shell() {
  const [open, { toggle, close }] = useDisclosure(false)
  const { pathname } = useLocation()
  useEffect(close, [pathname, close])
  return (
    <AppShell
      header={{ height: 52, collapsed: false }}
      navbar={{ width: 216, breakpoint: 'sm', collapsed: { mobile: !open } }}
      padding={{ base: 'sm', sm: 'lg' }}
    >
      <a href="#main" className={classes['skip']}>
        Skip to the page
      </a>
      <AppShell.Header className={classes['header']}>
        <Burger opened={open} onClick={toggle} hiddenFrom="sm" size="sm" aria-label={open ? 'Close the navigation' : 'Open the navigation'} />
        <Link to="/flows" className={classes['brand']}>
          <img src="/favicon.svg" alt="" width={24} height={24} />
          koco
        </Link>
        <SearchButton />
        <AccountMenu />
      </AppShell.Header>
      <AppShell.Navbar className={classes['navbar']}>
        <AppShell.Section grow component={ScrollArea} p="xs">
          <Navigation />
        </AppShell.Section>
      </AppShell.Navbar>
      <AppShell.Main id="main" tabIndex={-1} className={classes['main']}>
        <OpenAccessBanner />
        <Outlet />
      </AppShell.Main>
      <Suspense>
        <Palette />
      </Suspense>
    </AppShell>
  )
}

function SearchButton() {
  return (
    <UnstyledButton className={classes['search']} onClick={openPalette} aria-label="Search and commands">
      <Icon name="search" size={16} />
      <Text size="sm" c="dimmed" visibleFrom="xs">
        Search and commands
      </Text>
      <Group gap={4} visibleFrom="sm" ml="auto">
        <Kbd size="xs">Ctrl</Kbd>
        <Kbd size="xs">K</Kbd>
      </Group>
    </UnstyledButton>
  )
}

function OpenAccessBanner() {
  const { data: me } = useQuery(meQuery)
  if (me?.auth !== 'off') return null
  return (
    <Alert color="yellow" variant="light" mb="md" py="xs">
      Sign-in is off: everybody who can reach this address acts as the operator {me.user.name}. It listens on this machine only.
    </Alert>
  )
}
