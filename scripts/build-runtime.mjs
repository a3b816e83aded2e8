// @ts-check
import { spawnSync } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { build, defaultClientConditions } from 'vite'
import { root, runAsScript, ScriptError } from './command-line.mjs'

const folder = join(root, 'packages', 'runtime')
const output = join(folder, 'dist')

/**
 * Keeps `new Worker(new URL('./worker.js', import.meta.url))` word for word in the package, which is the form that bundlers
 * know; Vite would put the address of its own output there, which no other bundler follows.
 * @type {import('vite').Plugin}
 */
const keepWorkerAddress = {
  name: 'brasa:keep-worker-address',
  enforce: 'pre',
  transform: (code) => code.replace(/new URL\('\.\.\/worker\.ts', import\.meta\.url\)/, '__WORKER_ADDRESS__'),
  renderChunk: (code) => code.replace('__WORKER_ADDRESS__', "new URL('./worker.js', import.meta.url)"),
}

/**
 * Builds the npm package: index.js, which leaves its dependencies to the page's own bundler; worker.js, which has them
 * inside, so that it also runs where nothing bundles; and declarations.
 */
await runAsScript(import.meta.url, async () => {
  rmSync(output, { recursive: true, force: true })
  const { dependencies } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  await buildModule('index', Object.keys(dependencies))
  await buildModule('worker', [])
  const index = readFileSync(join(output, 'index.js'), 'utf8')
  if (!/new Worker\(new URL\(["']\.\/worker\.js["'], import\.meta\.url\)/.test(index)) {
    throw new ScriptError(
      'index.js does not start worker.js: did the client change how it spawns the worker?',
    )
  }
  const settings = join(folder, 'tsconfig.declarations.json')
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  const { status } = spawnSync(process.execPath, [tsc, '--project', settings], { stdio: 'inherit' })
  if (status !== 0) throw new ScriptError('The declarations could not be made; the reasons are above.')
})

/**
 * @param {string} name of a module of src/
 * @param {readonly string[]} external packages that stay imports
 */
async function buildModule(name, external) {
  await build({
    configFile: false,
    root: folder,
    base: './',
    publicDir: false,
    logLevel: 'warn',
    plugins: [keepWorkerAddress],
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
      lib: { entry: join(folder, 'src', `${name}.ts`), formats: ['es'], fileName: name },
      rolldownOptions: {
        external: external.map((name) => new RegExp(`^${name}(/|$)`)),
        output: { chunkFileNames: '[name]-[hash].js' },
      },
    },
  })
}
