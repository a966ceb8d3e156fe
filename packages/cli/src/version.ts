import { readFileSync } from 'node:fs'

/** The version of this koco, from its package.json, which lies one folder up both in the checkout and in the packed package. */
export const VERSION: string = (JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }).version
