// @ts-check
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { chromium } from 'playwright'
import { createServer } from 'vite'
import { assemblyScript } from './assemblyscript.mjs'
import { chromiumArgs, findOrInstallChromium } from './chromium.mjs'
import { reasonOf, root, runAsScript, ScriptError } from './command-line.mjs'

const usage = `Usage: npm run wasm-profile -- [options]
Says where the time of a decode step on WebAssembly goes, op by op, in a real browser.
  --model NAME        a folder of public/models; smollm2-135m-instruct if left out
  --positions LIST    where the token stands; 100,2000 if left out
  --threads LIST      2,1 if left out
  --precision NAME    int16 (the default), int8 or f32
  --features NAME     plain or relaxed: the other kernels than this machine's own choice
  --tokens N          of which the lower quartile is taken; 60 if left out`

await runAsScript(import.meta.url, async (args) => {
  const { values } = parsed(args)
  if (values.help) return console.log(usage)
  const numbers = (/** @type {string} */ list) => list.split(',').map(Number)
  const server = await createServer({
    configFile: false,
    root,
    publicDir: join(root, 'public'),
    cacheDir: join(root, '.cache', 'wasm-profile'),
    appType: 'custom',
    logLevel: 'error',
    plugins: [assemblyScript()],
    worker: { format: 'es', plugins: () => [assemblyScript()] },
    optimizeDeps: { entries: ['packages/runtime/src/backends/wasm/*.ts'] },
    server: {
      port: 0,
      headers: {
        'Cross-Origin-Opener-Policy': 'same-origin',
        'Cross-Origin-Embedder-Policy': 'require-corp',
      },
    },
  })
  server.middlewares.use('/profile.html', (_, response) => {
    response.setHeader('Content-Type', 'text/html')
    response.setHeader('Cross-Origin-Opener-Policy', 'same-origin')
    response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp')
    response.end('<!doctype html><title>Profile</title>')
  })
  await server.listen()
  const executablePath = await findOrInstallChromium()
  const browser = await chromium.launch({ args: chromiumArgs, executablePath })
  try {
    const page = await browser.newPage()
    await page.goto(new URL('profile.html', server.resolvedUrls?.local[0]).href)
    for (const numThreads of numbers(values.threads)) {
      const profiles = await page.evaluate(
        async ({ modules, model, options }) => {
          const [{ openServedModel }, { profileTokens }] = await Promise.all(
            modules.map((path) => import(/* @vite-ignore */ path)),
          )
          const { spec, weights } = await openServedModel(model)
          return profileTokens(spec, weights, options)
        },
        {
          modules: ['engine/served-model.ts', 'backends/wasm/profile.ts'].map(
            (path) => `/packages/runtime/src/${path}`,
          ),
          model: values.model,
          options: {
            numThreads,
            positions: numbers(values.positions),
            precision: /** @type {'int16'} */ (values.precision),
            numTokens: Number(values.tokens),
            ...(values.features !== 'auto' && { featureSet: /** @type {'plain'} */ (values.features) }),
          },
        },
      )
      print(numThreads, profiles)
    }
  } catch (error) {
    throw new ScriptError(reasonOf(error))
  } finally {
    await browser.close()
    await server.close()
  }
})

/**
 * @param {number} numThreads
 * @param {readonly import('../packages/runtime/src/backends/wasm/profile.ts').TokenProfile[]} profiles
 */
function print(numThreads, profiles) {
  const first = profiles[0]
  console.log(`\n${numThreads === 1 ? 'one thread' : `${numThreads} threads`}, ms a token`)
  const row = (/** @type {string} */ name, /** @type {readonly number[]} */ values) =>
    console.log(`  ${name.padEnd(24)}${values.map((ms) => ms.toFixed(3).padStart(10)).join('')}`)
  console.log(
    `  ${'at position'.padEnd(24)}${profiles.map(({ position }) => String(position).padStart(10)).join('')}`,
  )
  row(
    'token',
    profiles.map(({ totalMs }) => totalMs),
  )
  for (const name of Object.keys(first?.opsMs ?? {}))
    row(
      `  ${name}`,
      profiles.map(({ opsMs }) => opsMs[name] ?? 0),
    )
  row(
    '  all of these',
    profiles.map(({ opsMs }) => Object.values(opsMs).reduce((sum, ms) => sum + ms, 0)),
  )
  row(
    'sampling, greedy',
    profiles.map(({ sampleMs }) => sampleMs),
  )
  const last = profiles.at(-1)
  if (first && last && last !== first) {
    console.log(
      `  position ${last.position} takes ${(last.totalMs / first.totalMs).toFixed(2)} times position ${first.position}`,
    )
  }
}

/** @param {string[]} args */
function parsed(args) {
  try {
    return parseArgs({
      args,
      options: {
        model: { type: 'string', default: 'smollm2-135m-instruct' },
        positions: { type: 'string', default: '100,2000' },
        threads: { type: 'string', default: '2,1' },
        precision: { type: 'string', default: 'int16' },
        features: { type: 'string', default: 'auto' },
        tokens: { type: 'string', default: '60' },
        help: { type: 'boolean', default: false },
      },
    })
  } catch (error) {
    throw new ScriptError(`${reasonOf(error)}\n${usage}`)
  }
}
