import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

// One project a suffix: the suffix says what a test needs (TESTING.md). Two files at a time: each has a prefix, a database, a Temporal or servers of its own.
const SERVER_SUFFIXES = ['redis', 'pg', 's3', 'temporal', 'crash', 'e2e']
const root = fileURLToPath(new URL('..', import.meta.url))
const setup = ['packages/testing/src/vitest/servers.ts']
// Tests start many threads and processes of the same code. From the cache they start in half the time, and need no WebAssembly to strip the types.
process.env['NODE_COMPILE_CACHE'] ??= `${root}node_modules/.cache/koco-compile`
// As koco starts its own processes: threads that end have made V8 abort one.
const execArgv = ['--no-wasm-code-gc']
// Only a guard, within the time of a test: a poll that is right ends at once. vitest's own second is too short for a machine that is busy.
const expectations = { poll: { timeout: 25_000 } }

function serverProject(name: string) {
  const slow = name === 'redis' || name === 'pg' || name === 's3' ? 60_000 : 480_000
  return {
    test: {
      name,
      root,
      execArgv,
      include: [`packages/*/src/**/*.${name}.test.ts`],
      globalSetup: setup,
      setupFiles: ['packages/testing/src/vitest/tell-on-failure.ts'],
      runner: 'packages/testing/src/vitest/skipping-runner.ts',
      testTimeout: slow,
      hookTimeout: slow,
      expect: expectations,
    },
  }
}

const unit = {
  test: {
    name: 'unit',
    root,
    execArgv,
    include: ['packages/*/src/**/*.test.ts', 'packages/web/src/**/*.test.tsx'],
    exclude: SERVER_SUFFIXES.map((suffix) => `**/*.${suffix}.test.ts`),
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: expectations,
  },
}

export default defineConfig({ test: { root, maxWorkers: 2, projects: [unit, ...SERVER_SUFFIXES.map(serverProject)] } })
