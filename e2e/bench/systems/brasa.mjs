// @ts-check
import { openBrowser, openPage, setBusy } from '../browser.mjs'
import { countWorkIn } from '../gpu-hook.mjs'
import { memoryOf } from '../heap.mjs'
import { loadPrompt } from '../prompts.mjs'
import { failure, threadsInWords } from '../system.mjs'

/**
 * @typedef {import('../../../packages/runtime/src/api/types.ts').Engine} Engine
 * @typedef {import('playwright').JSHandle<Engine>} EngineHandle
 * @typedef {import('../system.mjs').System} System
 * @typedef {import('../system.mjs').Session} Session
 *
 * @typedef {import('../../../packages/runtime/src/backends/executor.ts').DecodeVariant} Variant
 *
 * @typedef {object} Row what is measured of ours
 * @property {'webgpu' | 'wasm' | 'ort'} backend
 * @property {'f32' | 'int8'} [linears] of `ort`; its own choice if left out
 * @property {'int8' | 'f32'} [precision] of `wasm`'s activations; 15 bits if left out
 * @property {number} [threads] of `wasm`; as many as there are cores if left out
 * @property {Variant} [variant] of `webgpu`; the fastest by its own measurement if left out
 *
 * @typedef {object} Place
 * @property {string} url of the built page
 * @property {string} model as `createEngine` takes it
 * @property {import('../schema.mjs').ModelFile} file
 * @property {import('../browser.mjs').BrowserOptions} browser
 *
 * @typedef {Row & Place} Setting
 */

/** Tokens each step reports besides those that the reference lists. */
const numTopLogprobs = 5

/** Rows of `wasm` with a name of their own. */
export const wasmRows = /** @satisfies {Record<string, Row>} */ ({
  wasm: { backend: 'wasm' },
  'wasm-1': { backend: 'wasm', threads: 1 },
  'wasm-int8': { backend: 'wasm', precision: 'int8' },
  'wasm-f32': { backend: 'wasm', precision: 'f32' },
})

/**
 * @param {readonly ('webgpu' | 'ort' | keyof typeof wasmRows)[]} backends as `--backends` names them
 * @param {readonly ('f32' | 'int8')[]} linears a row of `ort` each
 * @param {readonly Variant[]} variants a row of `webgpu` each
 * @returns {Row[]}
 */
export function rowsOf(backends, linears, variants) {
  return backends.flatMap((backend) => rowsOfBackend(backend, linears, variants))
}

/**
 * @param {'webgpu' | 'ort' | keyof typeof wasmRows} backend
 * @param {readonly ('f32' | 'int8')[]} linears
 * @param {readonly Variant[]} variants
 * @returns {Row[]}
 */
function rowsOfBackend(backend, linears, variants) {
  if (backend === 'webgpu') {
    return variants.length > 0 ? variants.map((variant) => ({ backend, variant })) : [{ backend }]
  }
  if (backend !== 'ort') return [wasmRows[backend]]
  return linears.length > 0 ? linears.map((format) => ({ backend, linears: format })) : [{ backend }]
}

/**
 * Our own engine, as a page that uses it does.
 * @param {Setting} setting
 * @returns {System}
 */
export function brasa(setting) {
  const { backend, linears, precision, threads, variant } = setting
  const name = { webgpu: 'WebGPU', wasm: 'WASM', ort: 'ONNX Runtime' }[backend]
  return {
    id: ['brasa', backend, linears, precision, threads, variant]
      .filter((part) => part !== undefined)
      .join('-'),
    name: ['Brasa', name, linears, precision, threads && threadsInWords(threads), variant]
      .filter(Boolean)
      .join(' '),
    open: () => openSession(setting),
    ...(backend === 'webgpu' && { countWork: () => countWork(setting) }),
  }
}

/**
 * @param {Setting} setting
 * @returns {Promise<Session>}
 */
async function openSession(setting) {
  const browser = await openBrowser(setting.browser)
  const { page, close } = browser
  const url = new URL('bench.html', setting.url).href
  await openPage(page, url, 'brasa').catch(async (error) => {
    await close()
    throw error
  })
  /** @type {EngineHandle | undefined} */
  let engine
  const loaded = () => {
    if (engine === undefined) throw new Error('Nothing is loaded.')
    return engine
  }
  return {
    load: async (from) => {
      if (from === 'storage') await openPage(page, url, 'brasa')
      const { handle, time } = await loadEngine(page, setting)
      engine = handle
      return { time, facts: await factsOf(engine, setting) }
    },
    run: ({ prompts, maxTokens }) => runPrompts(loaded(), prompts, maxTokens),
    follow: (reference) => scoreAlong(loaded(), reference),
    memory: async () => {
      const memory = await loaded().evaluate((engine) => engine.memory())
      const heapBytes = memory.weightBytes + memory.kvCacheBytes + memory.otherBytes
      return {
        ...memory,
        // Weights, keys and values are in it, and `otherBytes` is what it has besides.
        ...(setting.backend !== 'webgpu' && { wasmHeapBytes: heapBytes }),
        ...(await memoryOf(browser)),
      }
    },
    setBusy: (isBusy) => setBusy(page, isBusy),
    close,
  }
}

/**
 * @param {import('playwright').Page} page
 * @param {Setting} setting
 * @returns {Promise<{ handle: EngineHandle, time: import('../schema.mjs').LoadTime }>}
 */
async function loadEngine(page, { model, backend, linears, precision, threads, variant }) {
  const result = await page.evaluateHandle(
    async ({ prompt, ...options }) => {
      const { createEngine } = /** @type {any} */ (globalThis).brasa
      const start = performance.now()
      /** @type {{ phase: string, atMs: number }[]} */
      const phases = []
      const engine = await createEngine({
        ...options,
        onProgress: (/** @type {{ phase: string }} */ { phase }) => {
          if (phases.at(-1)?.phase !== phase) phases.push({ phase, atMs: performance.now() - start })
        },
      })
      const readyMs = performance.now() - start
      await engine.completions.create({ prompt, max_tokens: 1, temperature: 0, ignore_eos: true })
      const totalMs = performance.now() - start
      return { engine, phases, readyMs, totalMs }
    },
    { model, backend, linears, precision, threads, variant, prompt: loadPrompt() },
  )
  const { phases, readyMs, totalMs } = await result.evaluate(({ phases, readyMs, totalMs }) => ({
    phases,
    readyMs,
    totalMs,
  }))
  /** @type {any} */
  const handle = await result.getProperty('engine')
  const phasesMs = Object.fromEntries(
    phases.flatMap(({ phase, atMs }, index) =>
      phase === 'ready' ? [] : [[phase, (phases[index + 1]?.atMs ?? readyMs) - atMs]],
    ),
  )
  return { handle, time: { totalMs, firstTokenMs: totalMs - readyMs, phasesMs } }
}

/**
 * @param {EngineHandle} engine
 * @param {Setting} setting
 */
async function factsOf(engine, { backend, file, precision }) {
  const { device, weightBytes, numCores } = await engine.evaluate(async (engine) => {
    const { backend, adapter, linears, decode, threads, reason } = engine.device
    return {
      device: { backend, adapter, linears, decode, threads, reason },
      weightBytes: (await engine.memory()).weightBytes,
      numCores: Math.min(navigator.hardwareConcurrency, 8),
    }
  })
  if (device.backend !== backend) {
    throw failure(
      'ran-elsewhere',
      `It was to run on ${backend} and ran on ${device.backend}: ${device.reason}`,
    )
  }
  // ONNX Runtime's rows of the embedding are looked up outside of it.
  const bytes = device.linears?.weightBytes ?? weightBytes - file.embeddingBytesApart
  const onCpu = backend !== 'webgpu'
  // ONNX Runtime takes all that we let it.
  const numThreads = device.threads ?? numCores
  return {
    device: onCpu ? `CPU, ${threadsInWords(numThreads)}` : device.adapter,
    ...(precision && { detail: `activations in ${precision}` }),
    ...(device.linears && { detail: `linear layers in ${device.linears.format}` }),
    ...(device.decode && {
      detail: `decoding as ${device.decode.variant}: ${device.decode.reason.replace(/\.$/, '')}`,
    }),
    file: { name: file.file, bytes: file.bytes, isSameFile: true },
    weightBytesPerToken: bytes,
    limit: onCpu
      ? { device: /** @type {const} */ ('cpu'), threads: numThreads, bytes }
      : { device: /** @type {const} */ ('gpu'), bytes },
  }
}

/**
 * @param {EngineHandle} engine
 * @param {readonly string[]} prompts
 * @param {number} maxTokens
 * @returns {Promise<import('../system.mjs').Answer>}
 */
function runPrompts(engine, prompts, maxTokens) {
  return engine.evaluate(
    async (engine, { prompts, maxTokens }) => {
      const start = performance.now()
      /** @type {{ atMs: number, numTokens: number } | undefined} */
      let first
      let [promptTokens, answerTokens] = [0, 0]
      /** @type {import('../../../packages/runtime/src/api/types.ts').Timings | undefined} */
      let timings
      await Promise.all(
        prompts.map(async (prompt) => {
          const request = { prompt, max_tokens: maxTokens, temperature: 0, ignore_eos: true }
          for await (const chunk of await engine.completions.create({ ...request, stream: true })) {
            const numTokens = chunk.choices[0]?.tokens.length ?? 0
            if (numTokens > 0) first ??= { atMs: performance.now() - start, numTokens }
            answerTokens += numTokens
            promptTokens += chunk.usage?.prompt_tokens ?? 0
            timings = chunk.timings ?? timings
          }
        }),
      )
      const totalMs = performance.now() - start
      if (first === undefined || timings === undefined) throw new Error('The engine answered nothing.')
      return {
        promptTokens,
        answerTokens,
        firstTokenMs: first.atMs,
        firstTokens: first.numTokens,
        totalMs,
        reportedPrefillTokensPerSecond: timings.prefillTokensPerSecond,
        reportedDecodeTokensPerSecond: timings.decodeTokensPerSecond,
      }
    },
    { prompts, maxTokens },
  )
}

/**
 * @param {EngineHandle} engine
 * @param {import('../system.mjs').ReferenceCase} reference
 * @returns {Promise<import('../system.mjs').LogProbability[][]>}
 */
function scoreAlong(engine, { tokens, steps }) {
  const asked = steps.map(({ position, topLogprobs }) => ({
    position,
    listed: topLogprobs.map(([token]) => token),
  }))
  return engine.evaluate(
    async (engine, { tokens, asked, numTop }) => {
      const logprobsOf = tokens.map(
        (_, position) => asked.find((one) => one.position === position)?.listed ?? [],
      )
      // What comes after the last one is asked for too; which token stands there changes nothing before it.
      const { scores } = await engine.score({
        tokens: [...tokens, tokens[0] ?? 0],
        logprobsOf,
        topLogprobs: numTop,
      })
      return asked.map(({ position, listed }) => {
        const score = scores[position]
        if (score === undefined) return []
        /** @type {Map<number, number>} */
        const found = new Map(score.topLogprobs.map(({ tokenId, logprob }) => [tokenId, logprob]))
        for (const [at, token] of listed.entries()) found.set(token, score.logprobs[at] ?? Number.NaN)
        return [...found].sort(([, a], [, b]) => b - a)
      })
    },
    { tokens: [...tokens], asked, numTop: numTopLogprobs },
  )
}

/** @param {Setting} setting */
const countWork = (setting) =>
  countWorkIn(setting.browser, async (page) => {
    await openPage(page, new URL('bench.html', setting.url).href, 'brasa')
    const { handle } = await loadEngine(page, setting)
    return (prompts, numTokens) => runPrompts(handle, prompts, numTokens)
  })
