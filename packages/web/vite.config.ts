import react from '@vitejs/plugin-react'
import { defineConfig, type Plugin } from 'vite'

/**
 * What the form library names and the page must not carry. Ajv (named by its test helper) compiles by eval, and the page checks forms by zod. Its Markdown renderer would be a
 * second one beside ours, which sanitises (`forms/templates.tsx`); its own few sentences are shown as plain text.
 */
const LEFT_OUT: Readonly<Record<string, string>> = {
  '@rjsf/validator-ajv8': 'export default undefined',
  'markdown-to-jsx/react': 'export const Markdown = ({ children }) => children',
}
const leaveOut: Plugin = {
  name: 'leave-out',
  enforce: 'pre',
  resolveId: (id) => (id in LEFT_OUT ? `\0left-out:${id}` : undefined),
  load: (id) => (id.startsWith('\0left-out:') ? LEFT_OUT[id.slice('\0left-out:'.length)] : undefined),
}

// What these take as it is needs no second form; `light-dark()` in particular must stay, its rewritten form does not know the page's colour scheme.
const BROWSERS = ['chrome123', 'firefox121', 'safari17.5']

// The panel serves `dist` under a policy without inline scripts, so nothing is inlined: assets stay files, the preload shim is left out.
export default defineConfig({
  root: import.meta.dirname,
  plugins: [react(), leaveOut],
  build: { target: BROWSERS, outDir: 'dist', emptyOutDir: true, assetsInlineLimit: 0, modulePreload: { polyfill: false }, chunkSizeWarningLimit: 700 },
  server: { port: 5370, proxy: { '/api': 'http://localhost:3370', '/docs': 'http://localhost:3370', '/openapi.json': 'http://localhost:3370' } },
})
