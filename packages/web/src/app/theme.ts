import { createTheme, localStorageColorSchemeManager } from '@mantine/core'

/** The look of the page: system font, one accent, small radii, text of 14 px as the base so that lists stay dense. */
export const theme = createTheme({
  primaryColor: 'indigo',
  primaryShade: { light: 7, dark: 5 },
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
  },
})

/** Where the chosen colour scheme is kept; `public/theme.js` reads the same key before the first paint. */
export const colorSchemeManager = localStorageColorSchemeManager({ key: 'koco-color-scheme' })
