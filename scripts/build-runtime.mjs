// @ts-check
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { build, defaultClientConditions } from 'vite'
import { assemblyScript } from './assemblyscript.mjs'
import { root, runAsScript, ScriptError } from './command-line.mjs'

const folder = join(root, 'packages', 'runtime')
const output = join(folder, 'dist')

/** Scripts that run as workers, by the address that starts them in the sources. In the package all files lie side by side. */
const workers = [
  { source: "new URL('../worker.ts', import.meta.url)", stand: '__WORKER_ADDRESS__', file: 'worker.js' },
  { source: "new URL('./thread.ts', import.meta.url)", stand: '__THREAD_ADDRESS__', file: 'thread.js' },
]

/**
 * Keeps `new Worker(new URL('./worker.js', import.meta.url))` word for word in the package, which is the form that bundlers
 * know; Vite would put the address of its own output there, which no other bundler follows.
 * @type {import('vite').Plugin}
 */
const keepWorkerAddresses = {
  name: 'brasa:keep-worker-addresses',
  enforce: 'pre',
  transform: (code) => workers.reduce((text, { source, stand }) => text.replace(source, stand), code),
  renderChunk: (code) =>
    workers.reduce(
      (text, { stand, file }) => text.replace(stand, `new URL('./${file}', import.meta.url)`),
      code,
    ),
}

/**
 * Builds the npm package: index.js, which leaves its dependencies to the page's own bundler; worker.js, which has them
 * inside, so that it also runs where nothing bundles; thread.js, which the worker starts for each core; and declarations.
 */
await runAsScript(import.meta.url, async () => {
  rmSync(output, { recursive: true, force: true })
  const { dependencies } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  await buildModule('index', 'index', Object.keys(dependencies))
  await buildModule('worker', 'worker', [])
  await buildModule('thread', join('backends', 'wasm', 'thread'), [])
  const scripts = readdirSync(output).filter((name) => name.endsWith('.js'))
  const texts = scripts.map((name) => readFileSync(join(output, name), 'utf8'))
  for (const { file } of workers) {
    const start = new RegExp(`new Worker\\(\\s*new URL\\(["']\\./${file}["'], import\\.meta\\.url\\)`)
    if (texts.some((text) => start.test(text))) continue
    throw new ScriptError(
      `Nothing in the package starts ${file}: did the source change how it spawns the worker?`,
    )
  }
  const settings = join(folder, 'tsconfig.declarations.json')
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  const { status } = spawnSync(process.execPath, [tsc, '--project', settings], { stdio: 'inherit' })
  if (status !== 0) throw new ScriptError('The declarations could not be made; the reasons are above.')
})

/**
 * @param {string} name of the file that it becomes
 * @param {string} entry its module below src/, without the ending
 * @param {readonly string[]} external packages that stay imports
 */
async function buildModule(name, entry, external) {
  await build({
    configFile: false,
    root: folder,
    base: './',
    publicDir: false,
    logLevel: 'warn',
    plugins: [assemblyScript(), keepWorkerAddresses],
    resolve: {
      alias: { '#shaders': join(root, 'shaders') },
      // Its glue stays a file of its own; inside, it would carry the whole .wasm as text.
      conditions: ['onnxruntime-web-use-extern-wasm', ...defaultClientConditions],
    },
    build: {
      target: 'esnext',
      outDir: output,
      emptyOutDir: false,
      minify: false,
      lib: { entry: join(folder, 'src', `${entry}.ts`), formats: ['es'], fileName: name },
      rolldownOptions: {
        external: external.map((name) => new RegExp(`^${name}(/|$)`)),
        output: { chunkFileNames: '[name]-[hash].js' },
      },
    },
  })
}
