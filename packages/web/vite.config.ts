import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

// The panel serves `dist` under a policy without inline scripts, so nothing is inlined: assets stay files, the preload shim is left out.
export default defineConfig({
  root: import.meta.dirname,
  plugins: [react()],
  build: { target: 'es2023', outDir: 'dist', emptyOutDir: true, assetsInlineLimit: 0, modulePreload: { polyfill: false }, chunkSizeWarningLimit: 700 },
  server: { port: 5370, proxy: { '/api': 'http://localhost:3370', '/docs': 'http://localhost:3370', '/openapi.json': 'http://localhost:3370' } },
})
