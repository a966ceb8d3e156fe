import { findProgram } from './find.ts'
import { findOrInstall, installDebian } from './install.ts'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']
const REMEDY =
  'Tests of the page need Chromium: put chromium or google-chrome on the PATH (Debian: apt-get install chromium) or set KODO_TEST_CHROMIUM to its program.'

/** The program of a Chromium browser: KODO_TEST_CHROMIUM, on the PATH, or Debian's package, installed as root or through sudo. */
export async function chromiumProgram(): Promise<string> {
  const given = process.env['KODO_TEST_CHROMIUM']
  if (given !== undefined && given !== '') return given
  return await findOrInstall(
    () => findProgram(NAMES),
    () => installDebian(['chromium']),
    REMEDY,
  )
}
