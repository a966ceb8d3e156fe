import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The root of the checkout. */
export const ROOT = fileURLToPath(new URL('../../../..', import.meta.url))

/** The end of a command: its exit code (1 when a signal ended it) and everything that it printed. */
export type Outcome = { readonly code: number; readonly output: string }

/** How to run a tool. `show`: its output goes straight to the person instead of into the outcome. `env`: variables besides this process's. */
export type ToolOptions = { readonly show?: boolean; readonly env?: Readonly<Record<string, string>> }

/** Runs a tool of this checkout from its root. */
export async function runTool(tool: string, args: readonly string[], { show = false, env = {} }: ToolOptions = {}): Promise<Outcome> {
  const path = [join(ROOT, 'node_modules', '.bin'), process.env['PATH'] ?? ''].join(delimiter)
  const child = spawn(tool, args, {
    cwd: ROOT,
    env: { ...process.env, ...env, PATH: path },
    stdio: ['ignore', show ? 'inherit' : 'pipe', show ? 'inherit' : 'pipe'],
  })
  const chunks: Buffer[] = []
  child.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk))
  child.stderr?.on('data', (chunk: Buffer) => chunks.push(chunk))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code: code ?? 1, output: Buffer.concat(chunks).toString() }
}
