// @ts-check
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join, sep } from 'node:path'
import { build, defaultClientConditions } from 'vite'
import { assemblyScript } from './assemblyscript.mjs'
import { root, runAsScript, ScriptError } from './command-line.mjs'
import { shaderText } from './shader-text.mjs'

const folder = join(root, 'packages', 'runtime')
const output = join(folder, 'dist')

/** Scripts that run as workers, by the address that starts them in the sources. In the package all files lie side by side. */
const workers = [
  { source: "new URL('../worker.ts', import.meta.url)", stand: '__WORKER_ADDRESS__', file: 'worker.js' },
  { source: "new URL('./thread.ts', import.meta.url)", stand: '__THREAD_ADDRESS__', file: 'thread.js' },
  {
    source: "new URL('./matcher-worker.ts', import.meta.url)",
    stand: '__MATCHER_ADDRESS__',
    file: 'matcher-worker.js',
  },
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
 * ONNX Runtime names its own file as an asset, for pages of file: addresses, and webpack then looks for it in vain.
 * @type {import('vite').Plugin}
 */
const dropOwnAddress = {
  name: 'brasa:drop-own-address',
  transform(code, id) {
    if (!id.includes('onnxruntime-web')) return
    return code.replace(/new \w+\("ort\.[\w.]+\.mjs", ?import\.meta\.url\)\.href/, 'import.meta.url')
  },
}

/**
 * Builds the npm package: index.js for the page; worker.js, which it starts; thread.js and matcher-worker.js, which the worker starts;
 * service-worker.js, and what an app's own service worker calls instead; and declarations. Dependencies are inside, so that the package also runs where nothing bundles; their licences lie beside.
 */
await runAsScript(import.meta.url, async () => {
  rmSync(output, { recursive: true, force: true })
  // Page and worker share what both have: it is fetched once.
  await buildModules({ index: 'index', worker: 'worker', 'prompt-api': join('adapters', 'prompt-api') })
  await buildModules({ thread: join('backends', 'wasm', 'thread') })
  await buildModules({ 'matcher-worker': join('grammar', 'matcher-worker') })
  // To be copied by itself: it imports nothing.
  await buildModules({ 'service-worker': 'service-worker' })
  await buildModules({ 'answer-requests': join('service-worker', 'answer-requests') })
  await buildModules({ 'ai-sdk': join('adapters', 'ai-sdk') }, [/^@ai-sdk/])
  const scripts = readdirSync(output).filter((name) => name.endsWith('.js'))
  const texts = scripts.map((name) => readFileSync(join(output, name), 'utf8'))
  for (const { file } of workers) {
    const start = new RegExp(`new Worker\\(new URL\\(.\\./${file}.,import\\.meta\\.url\\)`)
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
 * The room that a chunk is from is in its name, such as backends-webgpu-executor: who sees one fetched knows why.
 * @param {{ name: string, facadeModuleId?: string | null }} chunk
 */
function chunkFileNames({ name, facadeModuleId }) {
  const path = facadeModuleId?.split('?')[0]?.split(join(folder, 'src') + sep)[1]
  return `${path?.replace(/\.ts$/, '').replaceAll(sep, '-') ?? name}-[hash].js`
}

/**
 * @param {Readonly<Record<string, string>>} modules by the file that each becomes, below src/ and without the ending
 * @param {RegExp[]} external packages that stay imports, because apps bring them
 */
async function buildModules(modules, external = []) {
  const [name] = Object.keys(modules)
  const entry = Object.fromEntries(
    Object.entries(modules).map(([file, module]) => [file, join(folder, 'src', `${module}.ts`)]),
  )
  await build({
    configFile: false,
    root: folder,
    base: './',
    publicDir: false,
    logLevel: 'warn',
    plugins: [assemblyScript(), shaderText(), dropOwnAddress, keepWorkerAddresses],
    resolve: {
      alias: { '#shaders': join(root, 'shaders') },
      // Its glue stays a file of its own; inside, it would carry the whole .wasm as text.
      conditions: ['onnxruntime-web-use-extern-wasm', ...defaultClientConditions],
    },
    build: {
      target: 'esnext',
      outDir: output,
      emptyOutDir: false,
      license: { fileName: `licences-${name}.md` },
      lib: { entry, formats: ['es'] },
      rolldownOptions: {
        external,
        // Where nothing bundles, these are what a page fetches.
        output: { chunkFileNames, minify: true },
      },
    },
  })
}
