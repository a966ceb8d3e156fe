// Goal: what the house rules say holds in every file, so that nobody has to watch for it in reviews. Method: read all sources and pages; each rule lists its offenders. The
// budget of 70 lines a function is a rule of the linter (.config/oxlint.json), the layers are those of .config/dependency-cruiser.mjs; that the settings
// table of the README is the schema's is a test of packages/cli, which alone knows the schema.
import { expect, test } from 'vitest'
import { readFiles, topLevelNames } from './files.ts'
import { brokenLinks } from './links.ts'
import * as rules from './rules.ts'

const sources = readFiles('packages', ['.ts', '.tsx'])
const others = sources.filter(({ path }) => !path.startsWith('packages/testing/src/tidy/')) // the rules quote what they forbid
const pages = readFiles('.', ['.md'])

// A reader can hold a file of this size in the head; longer ones turn into places that everybody edits.
test('no file is above its budget of lines', () => expect(rules.longFiles(sources)).toEqual([]))

// Deep folders hide files: from a package's root everything is at most two names away.
test('no source is more than two folders below src', () => expect(rules.deepFiles(sources)).toEqual([]))

// A name that says nothing about what is inside collects things that belong elsewhere.
test('no file or folder is named after nothing', () => expect(rules.namelessFiles(sources)).toEqual([]))

// What is not done belongs into an issue, where somebody plans it.
test('no line says that something is left to do', () => expect(rules.unfinishedLines(others)).toEqual([]))

// A test that is left out, or that leaves out the others, makes a green run say less than it seems to.
test('no test is left out by hand', () => expect(rules.leftOutTests(others)).toEqual([]))

// Whoever uses a symbol needs its promise, not its code.
test('every exported symbol has a doc comment', () => expect(rules.undocumentedExports(sources)).toEqual([]))

// An index is the list of what a package promises; `export *` promises things by accident.
test('every index lists named exports only', () => expect(rules.loudIndexes(sources)).toEqual([]))

// A test without its goal cannot be told from one that is obsolete.
test('every test opens with a comment', () => expect(rules.unexplainedTests(sources)).toEqual([]))

// A broken link on a page costs each reader the search that its author skipped.
test('every link of every page resolves', () => expect(brokenLinks(pages)).toEqual([]))

// The first screen of the repository is its table of contents; everything else lives in packages/ or is a dotfile.
test('the top level shows what a visitor needs and nothing else', () => {
  const visible = [
    'README.md',
    'TESTING.md',
    'docker-compose.yml',
    'docker-compose.override.yml.example',
    'package-lock.json',
    'package.json',
    'packages',
    'tsconfig.json',
  ]
  const made = ['data', 'docker-compose.override.yml'] // by the person who runs koco here
  expect(topLevelNames().filter((name) => !visible.includes(name) && !made.includes(name))).toEqual([])
})
