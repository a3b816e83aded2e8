// @ts-check
import { basename } from 'node:path'
import { openBrowser, openPage, setBusy } from '../browser.mjs'
import { countWorkIn } from '../gpu-hook.mjs'
import { keepMemoriesScript, memoryOf } from '../heap.mjs'
import { loadPrompt } from '../prompts.mjs'
import { failure, threadsInWords } from '../system.mjs'
import { requireReachable } from './hub.mjs'

/**
 * @typedef {import('../system.mjs').System} System
 * @typedef {import('../system.mjs').Session} Session
 * @typedef {import('playwright').Page} Page
 *
 * @typedef {object} Setting
 * @property {string} url of the peers' server
 * @property {string | undefined} folder of a model, served there; the hub if left out
 * @property {boolean} isSoftware whether the adapter is: then it runs on the CPU
 * @property {import('../browser.mjs').BrowserOptions} browser
 */

/** It reads no GGUF: this is the default model as its hub has it. */
const hubModel = 'HuggingFaceTB/SmolLM2-135M-Instruct'
const hubUrl = `https://huggingface.co/${hubModel}/resolve/main/config.json`

/**
 * ONNX Runtime Web with a graph from a hub: https://github.com/huggingface/transformers.js
 * @param {Setting} setting
 * @returns {System}
 */
export function transformers(setting) {
  return {
    id: 'transformers',
    name: `transformers.js ${setting.isSoftware ? 'CPU' : 'WebGPU'}`,
    open: () => openSession(setting),
    ...(!setting.isSoftware && { countWork: () => countWork(setting) }),
  }
}

/** @param {Setting} setting */
const countWork = (setting) =>
  countWorkIn(setting.browser, async (page) => {
    await openPage(page, setting.url, 'isPeerPage')
    await load(page, setting)
    return (prompts, numTokens) => runPrompts(page, prompts, numTokens)
  })

/**
 * @param {Setting} setting
 * @returns {Promise<Session>}
 */
async function openSession(setting) {
  if (setting.folder === undefined) await requireReachable(hubUrl, '--transformers-model')
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
    follow: (reference) => follow(page, reference),
    memory: () => memoryOf(browser),
    setBusy: (isBusy) => setBusy(page, isBusy),
    close,
  }
}

/**
 * @param {Page} page
 * @param {Setting} setting
 * @returns {Promise<import('../system.mjs').Loaded>}
 */
async function load(page, { folder, isSoftware }) {
  const loaded = await page.evaluate(
    async ({ isLocal, hubModel, device, dtype, prompt }) => {
      const address = (/** @type {string} */ path) => new URL(path, location.href).href
      const library = await import(address('/packages/transformers/transformers.web.js'))
      const { env, AutoTokenizer, AutoModelForCausalLM } = library
      env.allowLocalModels = isLocal
      env.allowRemoteModels = !isLocal
      env.localModelPath = address('/folders/')
      // Else it fetches them from elsewhere.
      env.backends.onnx.wasm.wasmPaths = address('/packages/onnxruntime-web/')
      const model = isLocal ? 'transformers' : hubModel
      /** @type {Map<string, number>} */
      const files = new Map()
      // What it runs on shows in what it does, not in what it was asked for.
      let numSubmits = 0
      const queue = /** @type {any} */ (globalThis).GPUQueue?.prototype
      const submit = queue?.submit
      if (queue !== undefined) {
        queue.submit = function (/** @type {any[]} */ ...args) {
          numSubmits += 1
          return submit.apply(this, args)
        }
      }
      const start = performance.now()
      const tokenizer = await AutoTokenizer.from_pretrained(model)
      const network = await AutoModelForCausalLM.from_pretrained(model, {
        device,
        dtype,
        progress_callback: (/** @type {any} */ { file, total }) => {
          if (/\.onnx/.test(file ?? '') && total > 0) files.set(file, total)
        },
      })
      const readyMs = performance.now() - start
      Object.assign(globalThis, { peer: { library, tokenizer, network } })
      await network.generate({ ...tokenizer(prompt), max_new_tokens: 1, do_sample: false })
      const totalMs = performance.now() - start
      if (queue !== undefined) queue.submit = submit
      const { numThreads } = env.backends.onnx.wasm
      return { readyMs, totalMs, files: [...files], numSubmits, numThreads }
    },
    {
      isLocal: folder !== undefined,
      hubModel,
      device: isSoftware ? 'wasm' : 'webgpu',
      dtype: isSoftware ? 'q8' : 'q4',
      prompt: loadPrompt(),
    },
  )
  const { readyMs, totalMs, files, numSubmits, numThreads } = loaded
  const isOnGpu = numSubmits > 0
  if (!isSoftware && !isOnGpu) {
    throw failure('ran-elsewhere', 'Asked for the GPU, it ran on the CPU: it submitted no work to WebGPU.')
  }
  const bytes = files.reduce((sum, [, size]) => sum + size, 0)
  const name = `${folder === undefined ? hubModel : basename(folder)}: ${files.map(([file]) => file).join(', ')}`
  return {
    time: { totalMs, firstTokenMs: totalMs - readyMs },
    facts: {
      device: isOnGpu ? 'WebGPU' : `CPU${numThreads > 0 ? `, ${threadsInWords(numThreads)}` : ''}`,
      file: { name, isSameFile: false, ...(bytes > 0 && { bytes }) },
      // A graph's weights are its file; an embedding of which a token reads a row is in it.
      ...(bytes > 0 && {
        weightBytesPerToken: bytes,
        limit: isOnGpu ? { device: 'gpu', bytes } : { device: 'cpu', threads: numThreads || 1, bytes },
      }),
    },
  }
}

/**
 * One after the other: it has no requests at once.
 * @param {Page} page
 * @param {readonly string[]} prompts
 * @param {number} maxTokens
 * @returns {Promise<import('../system.mjs').Answer>}
 */
function runPrompts(page, prompts, maxTokens) {
  return page.evaluate(
    async ({ prompts, maxTokens }) => {
      const { tokenizer, network } = /** @type {any} */ (globalThis).peer
      const start = performance.now()
      let firstTokenMs = 0
      let [promptTokens, answerTokens] = [0, 0]
      for (const prompt of prompts) {
        const inputs = tokenizer(prompt)
        promptTokens += inputs.input_ids.dims[1]
        let isPrompt = true
        await network.generate({
          ...inputs,
          min_new_tokens: maxTokens,
          max_new_tokens: maxTokens,
          do_sample: false,
          streamer: {
            // The prompt comes first, then each token.
            put: () => {
              if (!isPrompt) answerTokens += 1
              if (!isPrompt) firstTokenMs ||= performance.now() - start
              isPrompt = false
            },
            end: () => {},
          },
        })
      }
      return { promptTokens, answerTokens, firstTokenMs, firstTokens: 1, totalMs: performance.now() - start }
    },
    { prompts, maxTokens },
  )
}

/**
 * One forward pass over all tokens.
 * @param {Page} page
 * @param {import('../system.mjs').ReferenceCase} reference
 * @returns {Promise<import('../system.mjs').LogProbability[][]>}
 */
function follow(page, { tokens, steps }) {
  return page.evaluate(
    async ({ tokens, asked }) => {
      const { library, network } = /** @type {any} */ (globalThis).peer
      const tensor = (/** @type {readonly number[]} */ values) =>
        new library.Tensor('int64', BigInt64Array.from(values.map(BigInt)), [1, values.length])
      const { logits } = await network({
        input_ids: tensor(tokens),
        attention_mask: tensor(tokens.map(() => 1)),
      })
      const width = logits.dims[2]
      const values = logits.to('float32').data
      return asked.map(({ position, listed }) => {
        const row = values.subarray(position * width, (position + 1) * width)
        let best = 0
        for (let token = 1; token < width; token++) if (row[token] > row[best]) best = token
        let sum = 0
        for (const logit of row) sum += Math.exp(logit - row[best])
        const logprob = (/** @type {number} */ token) => row[token] - row[best] - Math.log(sum)
        return [...new Set([best, ...listed])]
          .map((token) => /** @type {[number, number]} */ ([token, logprob(token)]))
          .sort(([, a], [, b]) => b - a)
      })
    },
    {
      tokens: [...tokens],
      asked: steps.map(({ position, topLogprobs }) => ({
        position,
        listed: topLogprobs.map(([token]) => token),
      })),
    },
  )
}
