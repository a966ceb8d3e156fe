import react from '@vitejs/plugin-react'
import { defineConfig, type Plugin } from 'vite'

/** The form library's own test helper names Ajv, which compiles by eval; the page checks forms by zod and must not carry it. */
const withoutAjv: Plugin = {
  name: 'without-ajv',
  resolveId: (id) => (id === '@rjsf/validator-ajv8' ? '\0no-ajv' : undefined),
  load: (id) => (id === '\0no-ajv' ? 'export default undefined' : undefined),
}

// What these take as it is needs no second form; `light-dark()` in particular must stay, its rewritten form does not know the page's colour scheme.
const BROWSERS = ['chrome123', 'firefox121', 'safari17.5']

// The panel serves `dist` under a policy without inline scripts, so nothing is inlined: assets stay files, the preload shim is left out.
export default defineConfig({
  root: import.meta.dirname,
  plugins: [react(), withoutAjv],
  build: { target: BROWSERS, outDir: 'dist', emptyOutDir: true, assetsInlineLimit: 0, modulePreload: { polyfill: false }, chunkSizeWarningLimit: 700 },
  server: { port: 5370, proxy: { '/api': 'http://localhost:3370', '/docs': 'http://localhost:3370', '/openapi.json': 'http://localhost:3370' } },
})
