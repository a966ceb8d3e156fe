#!/usr/bin/env node
// The command `koco`. In the checkout it runs the TypeScript sources, which needs Node 24: with an older system Node the npm package `node@24` beside us runs them.
// In the packed package it runs compiled JavaScript. Plain JavaScript that Node 20 understands.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import module, { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const NODE_MIN = 24
const FLUSH_MS = 10_000
const here = dirname(fileURLToPath(import.meta.url))
const compiled = join(here, '../dist/main.js')
const source = join(here, '../src/main.ts')

// A spooler or a worker makes much short-lived garbage. With the default young generation it keeps 60 MB of it; a smaller one costs no speed here. V8 takes this only at the start of a process.
const young = '--max-semi-space-size=4'
// A worker has two of them, one for its workflows. It mostly waits, and lets its garbage lie until V8 thinks it worth the while; growing in small steps keeps a quarter less.
const worker = ['--max-semi-space-size=2', '--heap-growing-percent=40']
// A panel with 200 live readers keeps 35 MB less this way, and starts runs no slower: each of its threads has a young generation.
const panel = ['--max-semi-space-size=8']
// All threads of a process share what V8 compiled for calls out of WebAssembly, which Node itself uses, to strip types. V8 may free it with the thread that it came from and then once more
// ("Check failed: jit_page.has_value()", github.com/nodejs/node/issues/64500), and abort the process. What stays for lack of it is a few kilobytes.
const keepsWasmCode = '--no-wasm-code-gc'
const own = { start: panel, serve: panel, spool: [young], 'temporal-worker': worker }[process.argv[2]]
const flags = own ? [keepsWasmCode, ...own] : []
// Each of a worker's thirty threads would otherwise keep freed memory of its own, and what the SDK takes in large pieces would be kept in small ones (glibc; nothing elsewhere).
if (process.argv[2] === 'temporal-worker') {
  process.env.MALLOC_ARENA_MAX ??= '2'
  process.env.MALLOC_TRIM_THRESHOLD_ ??= String(1 << 20)
}

if (Number(process.versions.node.split('.')[0]) >= NODE_MIN) await runHere()
else runUnderNewerNode()

async function runHere() {
  const isMissing = flags.some((flag) => !process.execArgv.includes(flag))
  if (isMissing && process.execve && process.platform !== 'win32' && !process.channel) {
    process.execve(process.execPath, [process.execPath, ...process.execArgv, ...flags, ...process.argv.slice(1)], process.env)
  }
  // Compiled code is kept between starts, for worker threads too: a start takes half the time, and the stripping of types need not be loaded.
  module.enableCompileCache()
  process.env.NODE_COMPILE_CACHE ??= module.getCompileCacheDir()
  const { main } = await import(pathToFileURL(existsSync(source) ? source : compiled).href)
  // It is kept at an orderly end by default; a process that lives long may be killed in the end.
  setTimeout(() => module.flushCompileCache?.(), FLUSH_MS).unref()
  await main()
}

function runUnderNewerNode() {
  const node = newerNode()
  if (!node) {
    process.stderr.write(
      `koco needs Node ${NODE_MIN}; this is ${process.versions.node}. Install Node ${NODE_MIN}, or the package beside koco: npm install node@${NODE_MIN}\n`,
    )
    process.exit(2)
  }
  // The channel tells the child when this process is killed outright.
  const child = spawn(node, [...flags, fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: ['inherit', 'inherit', 'inherit', 'ipc'] })
  child.on('error', (error) => {
    process.stderr.write(`koco could not start ${node}: ${error.message}\n`)
    process.exit(1)
  })
  // Ctrl-C reaches the child by itself; what is sent to this process alone is passed on.
  process.on('SIGINT', () => {})
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 143)))
}

function newerNode() {
  try {
    const found = join(dirname(createRequire(import.meta.url).resolve('node/package.json')), 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
    return existsSync(found) ? found : undefined
  } catch {
    return undefined
  }
}
