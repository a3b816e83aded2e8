// @ts-check
import { chromium } from 'playwright'
import { findOrInstallChromium } from '../../scripts/chromium.mjs'
import { serve } from '../../scripts/serve.mjs'
import { launchArgs } from './browser.mjs'

/**
 * @typedef {import('../../packages/runtime/src/api/types.ts').Engine} Engine
 * @typedef {import('playwright').JSHandle<Engine>} EngineHandle
 *   An engine that lives in the page.
 */

/**
 * Opens the built /bench.html in a real browser.
 * @param {Partial<import('./browser.mjs').BrowserOptions>} [options]
 */
export async function openBenchPage({ gpu = false, headed = false, channel, args = [], onConsole } = {}) {
  const browserOf = channel === undefined ? { executablePath: await findOrInstallChromium() } : { channel }
  const server = await serve(0)
  const browser = await chromium.launch({ ...browserOf, headless: !headed, args: launchArgs({ gpu, args }) })
  const close = async () => {
    await browser.close()
    await server.close()
  }
  try {
    const page = await browser.newPage()
    page.on('console', (message) => onConsole?.(message.text()))
    page.on('pageerror', (error) => onConsole?.(error.message))
    await page.goto(new URL('bench.html', server.url).href)
    await page.waitForFunction(() => 'brasa' in globalThis, undefined, { timeout: 20_000 })
    return { page, close }
  } catch (error) {
    await close()
    throw error
  }
}

/**
 * Loads a model in the page.
 * @param {import('playwright').Page} page
 * @param {object} options
 * @param {string} options.model a model file's path on this machine if `isFile`, else any reference that the runtime takes
 * @param {boolean} options.isFile
 * @param {string} options.backend
 * @param {string} [options.linears] for `ort`; what it chooses itself if left out
 * @param {number} [options.threads] for `wasm`
 * @param {string} [options.variant] for `webgpu`; the fastest by its own measurement if left out
 * @param {(line: string) => void} options.onProgress
 * @returns {Promise<EngineHandle>}
 */
export async function loadEngine(page, { model, isFile, backend, linears, threads, variant, onProgress }) {
  if (isFile) {
    await page.evaluate(() => {
      if (document.querySelector('#bench-model') !== null) return
      const input = document.createElement('input')
      input.type = 'file'
      input.id = 'bench-model'
      document.body.append(input)
    })
    await page.setInputFiles('#bench-model', model)
  }
  const watch = (/** @type {import('playwright').ConsoleMessage} */ message) => {
    if (message.text().startsWith('load: ')) onProgress(message.text())
  }
  page.on('console', watch)
  try {
    /** @type {any} */
    const engine = await page.evaluateHandle(
      async ({ model, isFile, backend, linears, threads, variant }) => {
        const { createEngine } = /** @type {any} */ (globalThis).brasa
        const input = /** @type {HTMLInputElement | null} */ (document.querySelector('#bench-model'))
        let phase = ''
        return await createEngine({
          model: isFile ? input?.files?.[0] : model,
          backend,
          ...(linears !== undefined && { linears }),
          ...(threads !== undefined && { threads }),
          ...(variant !== undefined && { variant }),
          onProgress: (/** @type {{ phase: string }} */ progress) => {
            if (progress.phase !== phase) console.info(`load: ${progress.phase}`)
            phase = progress.phase
          },
        })
      },
      { model, isFile, backend, linears, threads, variant },
    )
    return engine
  } finally {
    page.off('console', watch)
  }
}

/**
 * @param {EngineHandle} engine
 * @param {Omit<import('../../packages/runtime/src/api/types.ts').CompletionRequest, 'stream'>} request greedy unless it says otherwise
 */
export function complete(engine, request) {
  return engine.evaluate(
    (engine, request) => engine.completions.create({ temperature: 0, ...request, stream: false }),
    request,
  )
}

/**
 * Device work per token of steady decoding: two answers that differ in nothing but their length.
 * @param {EngineHandle} engine
 * @param {string} prompt
 */
export function workPerToken(engine, prompt) {
  return engine.evaluate(async (engine, prompt) => {
    const workOf = async (/** @type {number} */ numTokens) => {
      const before = await engine.counters()
      await engine.completions.create({ prompt, temperature: 0, ignore_eos: true, max_tokens: numTokens })
      const after = await engine.counters()
      return {
        dispatches: after.dispatches - before.dispatches,
        submits: after.submits - before.submits,
        buffersCreated: after.buffersCreated - before.buffersCreated,
        bindGroupsCreated: after.bindGroupsCreated - before.bindGroupsCreated,
        bytesRead: after.bytesRead - before.bytesRead,
      }
    }
    const [few, many] = [4, 20]
    // Once for nothing: the next two find the same prefix in the cache.
    await workOf(few)
    const short = await workOf(few)
    const long = await workOf(many)
    const perToken = (/** @type {keyof typeof short} */ name) => (long[name] - short[name]) / (many - few)
    return {
      dispatches: perToken('dispatches'),
      submits: perToken('submits'),
      buffersCreated: perToken('buffersCreated'),
      bindGroupsCreated: perToken('bindGroupsCreated'),
      bytesRead: perToken('bytesRead'),
    }
  }, prompt)
}
