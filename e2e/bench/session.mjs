// @ts-check
import { serve } from '../../scripts/serve.mjs'
import { openBrowser, openPage } from './browser.mjs'

/**
 * @typedef {import('../../packages/runtime/src/api/types.ts').Engine} Engine
 * @typedef {import('playwright').JSHandle<Engine>} EngineHandle
 *   An engine that lives in the page.
 */

/**
 * Opens the built /bench.html in a real browser.
 * @param {Partial<import('./browser.mjs').BrowserOptions>} [options]
 */
export async function openBenchPage(options) {
  const server = await serve(0)
  try {
    const browser = await openBrowser({ gpu: false, headed: false, args: [], ...options })
    const close = async () => {
      await browser.close()
      await server.close()
    }
    await openPage(browser.page, new URL('bench.html', server.url).href, 'brasa').catch(async (error) => {
      await browser.close()
      throw error
    })
    return { page: browser.page, residentBytes: browser.residentBytes, close }
  } catch (error) {
    await server.close()
    throw error
  }
}

/**
 * Loads a model in the page.
 * @param {import('playwright').Page} page
 * @param {object} options
 * @param {string} options.model a model file's path on this machine if `isFile`, else any reference that the runtime takes
 * @param {boolean} options.isFile
 * @param {Omit<import('./systems/brasa.mjs').Row, 'backend'> & { backend: string }} options.row
 * @param {(line: string) => void} options.onProgress
 * @returns {Promise<EngineHandle>}
 */
export async function loadEngine(page, { model, isFile, row, onProgress }) {
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
      async ({ model, isFile, row }) => {
        const { createEngine } = /** @type {any} */ (globalThis).brasa
        const input = /** @type {HTMLInputElement | null} */ (document.querySelector('#bench-model'))
        let phase = ''
        return await createEngine({
          model: isFile ? input?.files?.[0] : model,
          ...row,
          onProgress: (/** @type {{ phase: string }} */ progress) => {
            if (progress.phase !== phase) console.info(`load: ${progress.phase}`)
            phase = progress.phase
          },
        })
      },
      { model, isFile, row },
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
