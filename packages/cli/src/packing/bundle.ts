import { builtinModules } from 'node:module'
import { join } from 'node:path'
import { rolldown } from 'rolldown'

/**
 * Compiles the workspace into `out`: the command, the entries of the API and the store's thread, which is started by its file name. Gives the names of
 * the npm packages that the code imports.
 */
export async function bundle({ packages, out }: { readonly packages: string; readonly out: string }): Promise<string[]> {
  const build = await rolldown({
    input: {
      main: join(packages, 'cli/src/main.ts'),
      index: join(packages, 'cli/src/index.ts'),
      testing: join(packages, 'cli/src/testing.ts'),
      client: join(packages, 'cli/src/client.ts'),
      thread: join(packages, 'storage/src/sqlite/thread.ts'),
    },
    platform: 'node',
    external: (id) => !id.startsWith('.') && !id.startsWith('/') && !id.startsWith('@koco/'),
  })
  // All files lie side by side, so that addresses relative to a module (`./thread.js`, `../web`) hold in each of them.
  const { output } = await build.write({ dir: out, format: 'esm', entryFileNames: '[name].js', chunkFileNames: '[name]-[hash].js' })
  await build.close()
  const imports = output.flatMap((file) => (file.type === 'chunk' ? [...file.imports, ...file.dynamicImports] : []))
  const names = imports.filter((id) => !id.startsWith('node:') && !id.endsWith('.js') && !builtinModules.includes(id)).map(packageName)
  return [...new Set(names)]
}

function packageName(id: string): string {
  return id.split('/', id.startsWith('@') ? 2 : 1).join('/')
}
