import { Alert, AppShell, Burger, Group, Kbd, ScrollArea, Text, UnstyledButton, VisuallyHidden } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { Link, Outlet, useLocation } from '@tanstack/react-router'
import { lazy, Suspense, useEffect, useState } from 'react'
import { meQuery } from '../api/session.ts'
import { AccountMenu } from './account-menu.tsx'
import { useConfirmKey } from './confirm-key.ts'
import { DelayBanner } from './delay-banner.tsx'
import { Icon } from './icons.tsx'
import { openPalette, PALETTE_WANTED, wantPalette } from './keys.ts'
import { Navigation } from './navigation.tsx'
import classes from './shell.module.css'

const loadPalette = () => import('./palette.tsx')
const Palette = lazy(async () => ({ default: (await loadPalette()).Palette }))
const MODIFIERS: ReadonlySet<string> = new Set(['Control', 'Meta', 'Shift', 'Alt', 'AltGraph'])

/** The frame around every page of somebody signed in: navigation at the left (behind a button on a phone), the page, the palette. */
export function Shell() {
  const [open, { toggle, close }] = useDisclosure(false)
  const { pathname } = useLocation()
  useEffect(close, [pathname, close])
  useConfirmKey()
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
        <DelayBanner />
        <Outlet />
      </AppShell.Main>
      <PaletteWhenWanted />
    </AppShell>
  )
}

/** The palette and the keys that lead to pages are fetched at the first key or at the first look at the search button. */
function PaletteWhenWanted() {
  const [first, setFirst] = useState<string | null>(null)
  const wanted = first !== null
  useEffect(() => {
    if (wanted) return undefined
    const onKey = (event: KeyboardEvent) => {
      // The key before the key: the palette is on its way when the other one comes.
      if (MODIFIERS.has(event.key)) {
        void loadPalette()
        return
      }
      const opens = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k'
      if (opens) {
        event.preventDefault()
        openPalette()
      }
      setFirst((known) => known ?? (isTyping(event.target) ? '' : event.key))
    }
    const onWant = () => setFirst((known) => known ?? '')
    window.addEventListener('keydown', onKey)
    window.addEventListener(PALETTE_WANTED, onWant, { once: true })
    return () => {
      window.removeEventListener('keydown', onKey)
      window.removeEventListener(PALETTE_WANTED, onWant)
    }
  }, [wanted])
  return first === null ? null : (
    <Suspense>
      <Palette first={first} />
    </Suspense>
  )
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.closest('input, textarea, select, [contenteditable]') !== null
}

function SearchButton() {
  return (
    <UnstyledButton className={classes['search']} onPointerEnter={wantPalette} onFocus={wantPalette} onClick={openPalette}>
      <Icon name="search" size={16} />
      <VisuallyHidden hiddenFrom="xs">Search and commands</VisuallyHidden>
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
