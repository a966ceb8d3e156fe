import { createTheme, localStorageColorSchemeManager, type CSSVariablesResolver } from '@mantine/core'

/** The look of the page: system font, one accent, small radii, text of 14 px as the base so that lists stay dense. */
export const theme = createTheme({
  primaryColor: 'indigo',
  primaryShade: 7,
  defaultRadius: 'md',
  cursorType: 'pointer',
  respectReducedMotion: true,
  autoContrast: true,
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif',
  fontFamilyMonospace: 'ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace',
  fontSizes: { xs: '12px', sm: '13px', md: '14px', lg: '16px', xl: '18px' },
  headings: { fontWeight: '650', sizes: { h1: { fontSize: 'clamp(18px, 14px + 1vw, 22px)' }, h2: { fontSize: '17px' }, h3: { fontSize: '15px' } } },
  components: {
    Tooltip: { defaultProps: { openDelay: 300, fz: 'xs' } },
    // Help texts may be Markdown, whose paragraphs do not fit into a paragraph.
    InputWrapper: { defaultProps: { descriptionProps: { component: 'div' } } },
    Input: { defaultProps: { size: 'sm' } },
    Button: { defaultProps: { size: 'sm' } },
    // A table that stands as cards on a phone keeps the roles that its layout would take from it.
    Table: { defaultProps: { role: 'table' } },
    TableThead: { defaultProps: { role: 'rowgroup' } },
    TableTbody: { defaultProps: { role: 'rowgroup' } },
    TableTr: { defaultProps: { role: 'row' } },
    TableTh: { defaultProps: { role: 'columnheader' } },
    TableTd: { defaultProps: { role: 'cell' } },
    Modal: { defaultProps: { closeButtonProps: { 'aria-label': 'Close' } } },
    ColorInput: { defaultProps: { eyeDropperButtonProps: { 'aria-label': 'Pick a colour from the screen' } } },
  },
})

/** Quiet and red texts dark (or bright) enough to be read: at least 4.5 to 1 on their grounds. */
export const textColours: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    '--mantine-color-dimmed': '#5f666d',
    '--mantine-color-placeholder': '#6a7178',
    '--mantine-color-error': '#c92a2a',
    '--mantine-color-red-text': '#c92a2a',
    '--mantine-color-orange-light-color': '#9c3606',
    '--mantine-color-teal-light-color': '#066649',
    '--mantine-color-red-light-color': '#b02525',
    '--mantine-color-yellow-light-color': '#7a4a00',
  },
  dark: {
    '--mantine-color-dimmed': '#a3a3a3',
    '--mantine-color-placeholder': '#8f8f8f',
    '--mantine-color-error': '#ff8787',
    '--mantine-color-red-text': '#ff8787',
  },
})

/** Where the chosen colour scheme is kept; `public/theme.js` reads the same key before the first paint. */
export const colorSchemeManager = localStorageColorSchemeManager({ key: 'koco-color-scheme' })
