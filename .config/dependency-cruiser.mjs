// Who may import whom: strictly downwards, never sideways (the map is packages/README.md). Each rule says why.

import { Visitor } from '@swc/core/Visitor.js'

// dependency-cruiser walks swc's tree with this class, which does not know `using` yet: such a statement is read as the declaration that it is.
const visitStatement = Visitor.prototype.visitStatement
Visitor.prototype.visitStatement = function (statement) {
  if (statement.type !== 'UsingDeclaration') return visitStatement.call(this, statement)
  statement.decls = this.visitVariableDeclarators(statement.decls)
  return statement
}

/** The packages from the ground up; those of one layer do not know each other. */
const LAYERS = [['core'], ['transport', 'storage', 'blobs'], ['spooler', 'flow', 'checkpoints'], ['temporal', 'panel'], ['cli'], ['examples', 'e2e']]
const TESTS = '\\.(test|bench)\\.tsx?$|/contract/|^packages/e2e/'

const layerRules = LAYERS.flatMap((packages, layer) =>
  packages.flatMap((name) => {
    const above = LAYERS.slice(layer + 1).flat()
    const beside = packages.filter((other) => other !== name)
    return [
      {
        name: `${name}-imports-nothing-above`,
        comment: 'A package that knows only what lies below it can be read, tested and replaced alone.',
        severity: 'error',
        from: { path: `^packages/${name}/` },
        to: { path: `^packages/(${[...above, 'web'].join('|')})/` },
      },
      {
        name: `${name}-imports-nothing-beside`,
        comment: 'Two parts of one layer that know each other are one part; tests may bring them together.',
        severity: 'error',
        from: { path: `^packages/${name}/`, pathNot: TESTS },
        to: { path: `^packages/(${beside.join('|') || '-'})/` },
      },
    ]
  }),
)

/** Only the files that match `allowed` may import these npm packages. */
function onlyFor(name, packages, allowed, comment) {
  const path = `node_modules/(${packages.join('|')})(/|$)`
  return {
    name,
    comment,
    severity: 'error',
    from: { path: '^packages/', pathNot: [`^packages/(${allowed.join('|')})`, '^packages/testing/', TESTS] },
    to: { path },
  }
}

const driverRules = [
  onlyFor(
    'ioredis-in-transport-redis-only',
    ['ioredis'],
    ['transport/src/redis/'],
    'Retry and re-send settings decide over lost and doubled events: one place knows them.',
  ),
  onlyFor(
    'database-drivers-in-storage-only',
    ['pg', 'better-sqlite3', 'kysely'],
    ['storage/'],
    'Both stores give equal answers only while nobody reaches past their port.',
  ),
  onlyFor(
    'temporal-sdk-in-temporal-only',
    ['@temporalio/[^/]+'],
    ['temporal/'],
    'Direct mode must run without the SDK, and the SDK may change without the rest.',
  ),
]

const coreRules = [
  {
    name: 'core-has-no-io',
    comment: 'Core loads in Node, in a Temporal workflow and in the browser, so it uses nothing of Node.',
    severity: 'error',
    from: { path: '^packages/core/src/', pathNot: TESTS },
    to: { dependencyTypes: ['core'] },
  },
  {
    name: 'core-needs-nothing-but-zod-in-schema',
    comment: 'A workflow bundle that draws in zod takes memory per workflow; only the schemas need it.',
    severity: 'error',
    from: { path: '^packages/core/src/', pathNot: [TESTS, '^packages/core/src/schema/'] },
    to: { path: 'node_modules/' },
  },
  {
    name: 'core-schema-needs-zod-only',
    comment: 'The schemas are part of the words: they need one library and no more.',
    severity: 'error',
    from: { path: '^packages/core/src/schema/', pathNot: TESTS },
    to: { path: 'node_modules/', pathNot: 'node_modules/zod/' },
  },
]

const edgeRules = [
  {
    name: 'web-knows-core-only',
    comment: 'The page talks to the panel over HTTP; what it shares with the server are the words.',
    severity: 'error',
    from: { path: '^packages/web/' },
    to: { path: '^packages/', pathNot: '^packages/(web|core)/' },
  },
  {
    name: 'examples-use-koco-only',
    comment: 'Examples show what an author outside this repository can write: only against what `koco` exports.',
    severity: 'error',
    from: { path: '^packages/examples/' },
    to: { path: '^packages/', pathNot: '^packages/(examples|cli)/' },
  },
  {
    name: 'testing-in-tests-only',
    comment: 'Test servers and generators must not get into what is shipped.',
    severity: 'error',
    from: { path: '^packages/', pathNot: ['^packages/testing/', TESTS] },
    to: { path: '^packages/testing/' },
  },
  {
    name: 'testing-knows-core-only',
    comment: 'What judges the other packages must not rest on them.',
    severity: 'error',
    from: { path: '^packages/testing/' },
    to: { path: '^packages/', pathNot: '^packages/(testing|core)/' },
  },
]

const hygieneRules = [
  {
    name: 'no-cycles',
    comment: 'Files that need each other cannot be understood one after the other.',
    severity: 'error',
    from: { path: '^packages/' },
    to: { circular: true },
  },
  {
    name: 'production-imports-no-test',
    comment: 'A test can be deleted without a change of what is shipped.',
    severity: 'error',
    from: { path: '^packages/', pathNot: TESTS },
    to: { path: '\\.(test|bench)\\.tsx?$' },
  },
  {
    name: 'imports-resolve',
    comment: 'An import that resolves to nothing fails at run time only.',
    severity: 'error',
    from: { path: '^packages/' },
    to: { couldNotResolve: true },
  },
  {
    name: 'packages-by-their-entries',
    comment: "A package's files are its own business; others use its name and its declared sub-paths.",
    severity: 'error',
    from: { path: '^packages/([^/]+)/' },
    to: { path: '^packages/', pathNot: '^packages/$1/', dependencyTypes: ['local'] },
  },
]

export default {
  forbidden: [...layerRules, ...driverRules, ...coreRules, ...edgeRules, ...hygieneRules],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '/dist/|/data/' },
    tsPreCompilationDeps: true,
    parser: 'swc',
    moduleSystems: ['es6'],
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
      extensions: ['.ts', '.tsx', '.mjs', '.js', '.json', '.d.ts'],
      mainFields: ['module', 'main', 'types'],
    },
  },
}
