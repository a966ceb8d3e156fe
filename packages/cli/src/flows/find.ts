import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { RefusedError } from '@koco/core'
import { IN_CHECKOUT, PACKAGE_ROOT } from '../version.ts'

const NAMES = ['flows.ts', 'flows.mts', 'flows.js', 'flows.mjs', 'src/flows.ts', 'src/flows.js']
const EXAMPLES = fileURLToPath(new URL('../examples/src/index.ts', PACKAGE_ROOT))

/** The module of flows: the one named, else `flows.ts` (or .js) in `cwd`, else the examples when this is the checkout. RefusedError `bad_flows` when there is none. */
export function findFlows(named: string | undefined, cwd: string): string {
  if (named !== undefined) {
    const path = resolve(cwd, named)
    if (!existsSync(path)) throw new RefusedError(`There is no module of flows at ${path}: check --flows (KODO_FLOWS).`, { code: 'bad_flows' })
    return path
  }
  const found = [...NAMES.map((name) => join(cwd, name)), ...(IN_CHECKOUT ? [EXAMPLES] : [])].find((path) => existsSync(path))
  if (found === undefined) {
    throw new RefusedError(`There is no flows.ts in ${cwd}: \`koco init\` writes a first one, or name yours with --flows.`, { code: 'bad_flows' })
  }
  return found
}
