import { createSpotlight } from '@mantine/spotlight'

const [store, palette] = createSpotlight()

/** The store of the palette. */
export const paletteStore = store

/** The event by which a part of the page says that the palette will soon be needed. */
export const PALETTE_WANTED = 'koco:palette'

/** Has the palette fetched. */
export function wantPalette(): void {
  window.dispatchEvent(new Event(PALETTE_WANTED))
}

/** Opens the palette. */
export function openPalette(): void {
  wantPalette()
  palette.open()
}

/** The keys that work everywhere; the help sheet shows them, `useHotkeys` binds them. */
export const KEYS: readonly { readonly keys: string; readonly does: string }[] = [
  { keys: 'Ctrl K', does: 'Search pages, flows, runs and actions' },
  { keys: '?', does: 'Show these keys' },
  {
    keys: 'G then F, R, H, A, C, K, I, S',
    does: 'Go to flows, runs, chat, approvals, schedules, checkpoints, insights, settings; operators: O operations, U users',
  },
  { keys: '/', does: 'Jump to the search field of the page' },
  { keys: 'J, K or arrows', does: 'Next, previous row of a list' },
  { keys: 'H, L', does: 'Fold, unfold the row; replay: back, on to the next moment that matters' },
  { keys: 'Enter', does: 'Open the row' },
  { keys: 'Ctrl Enter', does: 'Confirm: send the form, do what the dialog asks' },
  { keys: '1 to 8, 0', does: 'List of runs: show or hide a status, show all; run page: its views' },
  { keys: 'U, Shift U', does: 'Run page: up to the run that started it, to the first of them' },
  { keys: 'P', does: 'Replay: play, or stop' },
  { keys: 'F', does: 'Run page: follow the newest event, or stop' },
  { keys: 'R', does: 'Run page: run again; list of runs: read it again' },
  { keys: 'Esc', does: 'Close what is open, end choosing, fold events' },
]
