import { readFileSync } from 'node:fs'

/** The folder of this package. This module lies one folder below it, both in the checkout (`src`) and compiled (`dist`). */
export const PACKAGE_ROOT: URL = new URL('../', import.meta.url)

/** True in the checkout, where the TypeScript sources run; false in the packed package. */
export const IN_CHECKOUT: boolean = import.meta.url.endsWith('.ts')

/** The version of this koco. */
export const VERSION: string = (JSON.parse(readFileSync(new URL('package.json', PACKAGE_ROOT), 'utf8')) as { version: string }).version
