// Goal: ALARMS.md tells the truth and all of it. Method: each line and figure of its tables is looked up in the sources; and each fault of the crash suite must be traced by a line of the page or by what readiness and timelines say.
import { globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { DISTRIBUTED, EMBEDDED, ON_DISK, TEMPORAL } from '../crash/nemeses/catalogue.ts'

const PACKAGES = fileURLToPath(new URL('../../../', import.meta.url))
const PAGE = readFileSync(`${PACKAGES}cli/observability/ALARMS.md`, 'utf8')
const SOURCES = globSync(['*/src/**/*.ts'], { cwd: PACKAGES, exclude: ['**/*.test.ts', 'e2e/**'] })
  .map((file) => readFileSync(PACKAGES + file, 'utf8'))
  .join('\n')
/** Texts of the sources with what is put into them left open, as the page writes it. */
const TEXT = SOURCES.replaceAll('\\`', '`').replaceAll(/\$\{(?:[^{}]|\{[^}]*\})*\}/g, '…')
/** Figures that libraries give. */
const OF_LIBRARIES = /^nodejs_/

const rows = PAGE.split('\n')
  .filter((line) => line.startsWith('| `'))
  .map((line) => {
    const [, said = '', figure = '', means = '', remedy = ''] = line.split(/(?<!\\)\|/).map((cell) => cell.trim())
    return { said: said.slice(1, -1).replaceAll('\\`', '`'), figure: figure.replaceAll('`', ''), means, remedy }
  })

test('the page has its rows', () => expect(rows.length).toBeGreaterThan(15))

test.each(rows)('$said', ({ said, figure, means, remedy }) => {
  const pieces = said.replace(/^the (store|transport) (does|is)/, 'the … $2').split('…')
  expect(pieces.filter((piece) => !TEXT.includes(piece.trim()))).toEqual([])
  expect(OF_LIBRARIES.test(figure) || SOURCES.includes(`'${figure}'`), figure).toBe(true)
  expect(means.length).toBeGreaterThan(20)
  expect(remedy.length).toBeGreaterThan(5)
})

/** What readiness, the timeline and the errors of the stores say; the crash suite finds these in what they answer. */
const OTHER_TRACES = [
  'readyz: no answer',
  'timeline attempt recover',
  'redis_unavailable',
  'redis_full',
  'redis_readonly',
  'did not answer',
  'too many clients',
  '"store":"store_unavailable"',
]

test.each([...DISTRIBUTED, ...EMBEDDED, ...ON_DISK, ...TEMPORAL])('a person finds: $kind', ({ trace }) => {
  const lines = rows.flatMap(({ said }) => ['poison', 'foreign'].map((reason) => said.replace('(…)', `(${reason})`)))
  expect([...lines, ...OTHER_TRACES].some((line) => trace.test(line))).toBe(true)
})
