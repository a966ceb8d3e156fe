import react from '@vitejs/plugin-react'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'
import { defineConfig, type Plugin } from 'vite'

/**
 * What the form library names and the page must not carry. Ajv (named by its test helper) compiles by eval, and the page checks forms by zod. Its Markdown renderer would be a
 * second one beside ours, which sanitises (`forms/templates.tsx`); its own few sentences are shown as plain text. Its resolver of addresses would be a second one beside
 * the browser's. The Markdown parser names what writes Markdown, which nothing here does.
 */
const LEFT_OUT: Readonly<Record<string, string>> = {
  '@rjsf/validator-ajv8': 'export default undefined',
  'markdown-to-jsx/react': 'export const Markdown = ({ children }) => children',
  'mdast-util-to-markdown': 'export const defaultHandlers = {}',
  'fast-uri': `const whole = (ref, base) => new URL(ref, new URL(base || '', 'schema://form/')).href.replace('schema://form/', '')
export default { resolve: (base, ref) => whole(ref, base), equal: (a, b) => whole(a) === whole(b) }`,
}
const leaveOut: Plugin = {
  name: 'leave-out',
  enforce: 'pre',
  resolveId: (id) => (id in LEFT_OUT ? `\0left-out:${id}` : undefined),
  load: (id) => (id.startsWith('\0left-out:') ? LEFT_OUT[id.slice('\0left-out:'.length)] : undefined),
}

/** Lays a brotli and a gzip form beside each text file; the panel sends the one that a browser takes. */
const compress: Plugin = {
  name: 'compress',
  apply: 'build',
  async writeBundle({ dir = '' }) {
    const files = await readdir(dir, { recursive: true })
    await Promise.all(files.filter((file) => /\.(?:js|css|svg)$/.test(file)).map((file) => compressFile(join(dir, file))))
  },
}

async function compressFile(file: string): Promise<void> {
  const text = await readFile(file)
  if (text.length < 1_000) return
  const best = { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: text.length } }
  await Promise.all([
    promisify(brotliCompress)(text, best).then((small) => writeFile(`${file}.br`, small)),
    promisify(gzip)(text, { level: 9 }).then((small) => writeFile(`${file}.gz`, small)),
  ])
}

// What these take as it is needs no second form; `light-dark()` in particular must stay, its rewritten form does not know the page's colour scheme.
const BROWSERS = ['chrome123', 'firefox121', 'safari17.5']

// The panel serves `dist` under a policy without inline scripts, so nothing is inlined: assets stay files, the preload shim is left out.
export default defineConfig({
  root: import.meta.dirname,
  plugins: [react(), leaveOut, compress],
  build: { target: BROWSERS, outDir: 'dist', emptyOutDir: true, assetsInlineLimit: 0, modulePreload: { polyfill: false }, chunkSizeWarningLimit: 700 },
  server: { port: 5370, proxy: { '/api': 'http://localhost:3370', '/docs': 'http://localhost:3370', '/openapi.json': 'http://localhost:3370' } },
})
