/**
 * Imports point down this list, never up and never sideways between backends (docs/architecture.md draws it).
 * `errors.ts` and `protocol.ts` hold types and the one error class: every room may import them.
 */
const rooms = [
  'index.ts|adapters',
  'api',
  'service-worker.ts',
  'client|service-worker',
  'worker.ts',
  'engine',
  'sampling|tokenizer|grammar',
  'models',
  'backends',
  'quant',
  'formats',
  'storage',
]
const src = '^packages/runtime/src/'
const room = (names) => `${src}(${names.replaceAll('.', '\\.')})(/|$)`

const upward = rooms.slice(1).map((name, index) => ({
  name: `no-upward-import-from-${name}`,
  severity: 'error',
  from: { path: room(name), pathNot: '\\.test\\.ts$' },
  to: { path: room(rooms.slice(0, index + 1).join('|')) },
}))

export default {
  forbidden: [
    ...upward,
    {
      name: 'backends-know-each-other-only-by-contract',
      severity: 'error',
      from: { path: `${src}backends/([^/]+)/`, pathNot: '\\.test(-support)?\\.ts$' },
      to: { path: `${src}backends/([^/]+)/`, pathNot: `${src}backends/$1/` },
    },
    {
      name: 'engine-knows-backends-by-contract',
      severity: 'error',
      from: { path: `${src}engine/`, pathNot: '(\\.test|/backends)\\.ts$' },
      to: { path: `${src}backends/[^/]+/` },
    },
    {
      name: 'page-never-imports-the-engine',
      severity: 'error',
      from: { path: `${src}(api|client)/`, pathNot: '\\.test(-support)?\\.ts$' },
      to: { path: `${src}(engine|backends|quant|models|tokenizer)/`, dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'demo-uses-the-public-surface',
      severity: 'error',
      from: { path: '^packages/demo/' },
      to: { path: `${src}(?!index\\.ts|service-worker/answer-requests\\.ts)` },
    },
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'no-orphans',
      severity: 'error',
      from: {
        orphan: true,
        path: '^packages/',
        pathNot: '(\\.d\\.ts|\\.test\\.ts|main\\.tsx?|adapters/[^/]+)$',
      },
      to: {},
    },
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    // Another language: AssemblyScript.
    exclude: { path: '(^|/)dist/|packages/runtime/assembly/' },
  },
}
