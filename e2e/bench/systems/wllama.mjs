// @ts-check
import { openBrowser, openPage, setBusy } from '../browser.mjs'
import { countWorkIn } from '../gpu-hook.mjs'
import { keepMemoriesScript, memoryOf } from '../heap.mjs'
import { loadPrompt } from '../prompts.mjs'
import { failure, threadsInWords } from '../system.mjs'

/**
 * @typedef {import('../system.mjs').System} System
 * @typedef {import('../system.mjs').Session} Session
 * @typedef {import('playwright').Page} Page
 *
 * @typedef {object} Setting
 * @property {number | 'webgpu'} device threads of the CPU, or the GPU
 * @property {string} url of the peers' server
 * @property {string} modelPath there
 * @property {import('../schema.mjs').ModelFile} file
 * @property {number} contextLength
 * @property {number} streams requests at once, at most
 * @property {import('../browser.mjs').BrowserOptions} browser
 */

/**
 * Tokens each step reports: those that the reference lists are nearly always among so many. The more there are, the likelier
 * one of them is part of a character, over which this version's worker ends.
 */
const numTopLogprobs = 10

/**
 * llama.cpp as WebAssembly, with the same GGUF file: https://github.com/ngxson/wllama
 * @param {Setting} setting
 * @returns {System}
 */
export function wllama(setting) {
  const { device } = setting
  return {
    id: `wllama-${device}`,
    name: `wllama ${device === 'webgpu' ? 'WebGPU' : threadsInWords(device)}`,
    open: () => openSession(setting),
    ...(device === 'webgpu' && { countWork: () => countWork(setting) }),
  }
}

/**
 * @param {Setting} setting
 * @returns {Promise<Session>}
 */
async function openSession(setting) {
  const browser = await openBrowser(setting.browser, keepMemoriesScript)
  const { page, close } = browser
  await openPage(page, setting.url, 'isPeerPage').catch(async (error) => {
    await close()
    throw error
  })
  return {
    load: async (from) => {
      if (from === 'storage') await openPage(page, setting.url, 'isPeerPage')
      return load(page, setting)
    },
    run: ({ prompts, maxTokens }) => runPrompts(page, prompts, maxTokens),
    follow: async ({ steps }) => {
      /** @type {import('../system.mjs').LogProbability[][]} */
      const found = []
      for (const step of steps) {
        try {
          found.push(await likeliestAfter(page, step))
        } catch {
          // Its worker ended over part of a character: that step is left out, and a new one goes on.
          await openPage(page, setting.url, 'isPeerPage')
          await load(page, setting)
          found.push([])
        }
      }
      return found
    },
    memory: () => memoryOf(browser),
    setBusy: (isBusy) => setBusy(page, isBusy),
    close,
  }
}

/**
 * A fresh instance, in a page that has none.
 * @param {Page} page
 * @param {Setting} setting
 * @returns {Promise<import('../system.mjs').Loaded>}
 */
async function load(page, { device, modelPath, file, contextLength, streams }) {
  const loaded = await page.evaluate(
    async ({ modelPath, device, contextLength, streams, prompt }) => {
      const address = (/** @type {string} */ path) => new URL(path, location.href).href
      const { Wllama } = await import(address('/packages/wllama/index.js'))
      const lines = /** @type {string[]} */ ([])
      const log = (/** @type {unknown[]} */ ...parts) => void lines.push(parts.join(' '))
      const logger = { debug: log, log, warn: log, error: log }
      const wllama = new Wllama({ default: address('/packages/wllama/wasm/wllama.wasm') }, { logger })
      // Else a browser that it holds to be too old gets another build, from elsewhere.
      wllama.setCompat(null)
      const start = performance.now()
      const model = await wllama.modelManager.getModelOrDownload({ url: address(modelPath) })
      const blobs = await model.open()
      const downloadedMs = performance.now() - start
      await wllama.loadModel(blobs, {
        n_ctx: contextLength * streams,
        n_parallel: streams,
        n_gpu_layers: device === 'webgpu' ? 999 : 0,
        ...(typeof device === 'number' && { n_threads: device }),
      })
      const readyMs = performance.now() - start
      await wllama.createCompletion({ prompt, max_tokens: 1, temperature: 0, ignore_eos: true })
      const totalMs = performance.now() - start
      Object.assign(globalThis, { wllama })
      return {
        downloadedMs,
        readyMs,
        totalMs,
        numThreads: wllama.getNumThreads(),
        log: lines.filter((line) => line.includes('buffer size')),
      }
    },
    { modelPath, device, contextLength, streams, prompt: loadPrompt() },
  )
  const { downloadedMs, readyMs, totalMs, numThreads, log } = loaded
  if (device === 'webgpu' && !ranOnGpu(log)) {
    throw failure(
      'ran-elsewhere',
      'Asked for the GPU, it ran on the CPU: its log names no WebGPU buffer. It needs an adapter with shader-f16.',
    )
  }
  const bytes = file.weightBytesPerToken
  return {
    time: {
      totalMs,
      firstTokenMs: totalMs - readyMs,
      phasesMs: { download: downloadedMs, upload: readyMs - downloadedMs },
    },
    facts: {
      device: device === 'webgpu' ? 'WebGPU' : `CPU, ${threadsInWords(numThreads)}`,
      file: { name: file.file, bytes: file.bytes, isSameFile: true },
      weightBytesPerToken: bytes,
      limit: device === 'webgpu' ? { device: 'gpu', bytes } : { device: 'cpu', threads: device, bytes },
    },
  }
}

/**
 * What it says of itself beforehand, isSupportWebGPU(), is true on adapters that it then does not use: where its weights went is
 * in its log.
 * @param {readonly string[]} log
 */
export const ranOnGpu = (log) => log.some((line) => line.includes('WebGPU model buffer size'))

/**
 * @param {Page} page
 * @param {readonly string[]} prompts
 * @param {number} maxTokens
 * @returns {Promise<import('../system.mjs').Answer>}
 */
function runPrompts(page, prompts, maxTokens) {
  return page.evaluate(
    async ({ prompts, maxTokens }) => {
      const { wllama } = /** @type {any} */ (globalThis)
      const start = performance.now()
      /** @type {{ atMs: number, numTokens: number } | undefined} */
      let first
      /** @type {any[]} */
      const last = await Promise.all(
        prompts.map(async (prompt) => {
          /** @type {any} */
          let lastChunk
          await wllama.createCompletion({
            prompt,
            max_tokens: maxTokens,
            temperature: 0,
            ignore_eos: true,
            cache_prompt: false,
            timings_per_token: true,
            stream: true,
            onData: (/** @type {any} */ chunk) => {
              first ??= { atMs: performance.now() - start, numTokens: chunk.timings.predicted_n }
              lastChunk = chunk
            },
          })
          return lastChunk
        }),
      )
      const totalMs = performance.now() - start
      if (first === undefined) throw new Error('It answered nothing.')
      const sum = (/** @type {string} */ name) => last.reduce((total, { usage }) => total + usage[name], 0)
      const { prompt_per_second, predicted_per_second } = last[0].timings
      return {
        promptTokens: sum('prompt_tokens'),
        answerTokens: sum('completion_tokens'),
        firstTokenMs: first.atMs,
        firstTokens: first.numTokens,
        totalMs,
        reportedPrefillTokensPerSecond: prompt_per_second,
        reportedDecodeTokensPerSecond: predicted_per_second,
      }
    },
    { prompts, maxTokens },
  )
}

/**
 * One token after the text so far, which its cache holds but for the last few tokens. (A prompt that is a list of tokens ends this
 * version's worker.)
 * @param {Page} page
 * @param {import('../system.mjs').ReferenceStep} step
 * @returns {Promise<import('../system.mjs').LogProbability[]>} empty where it reads the text as other tokens
 */
async function likeliestAfter(page, { prefix, position }) {
  const { numPromptTokens, top } = await page.evaluate(
    async ({ prefix, numTop }) => {
      const answer = await /** @type {any} */ (globalThis).wllama.createCompletion({
        prompt: prefix,
        max_tokens: 1,
        temperature: 0,
        ignore_eos: true,
        cache_prompt: true,
        logprobs: numTop,
      })
      /** @type {{ id: number, logprob: number }[]} */
      const top = answer.choices[0].logprobs.content[0].top_logprobs
      return {
        numPromptTokens: answer.usage.prompt_tokens,
        top: top.map(({ id, logprob }) => /** @type {const} */ ([id, logprob])),
      }
    },
    { prefix, numTop: numTopLogprobs },
  )
  return numPromptTokens === position + 1 ? [...top] : []
}

/** @param {Setting} setting */
const countWork = (setting) =>
  countWorkIn(setting.browser, async (page) => {
    await openPage(page, setting.url, 'isPeerPage')
    await load(page, setting)
    return (prompts, numTokens) => runPrompts(page, prompts, numTokens)
  })
