// @ts-check
import { readdirSync } from 'node:fs'
import { basename } from 'node:path'
import { openBrowser, openPage, setBusy } from '../browser.mjs'
import { countWorkIn } from '../gpu-hook.mjs'
import { keepMemoriesScript, memoryOf } from '../heap.mjs'
import { loadPrompt } from '../prompts.mjs'
import { failure } from '../system.mjs'
import { requireReachable } from './hub.mjs'

/**
 * @typedef {import('../system.mjs').System} System
 * @typedef {import('../system.mjs').Session} Session
 * @typedef {import('playwright').Page} Page
 *
 * @typedef {object} Setting
 * @property {string} url of the peers' server
 * @property {string | undefined} folder of a compiled model and its library, served there; the hub if left out
 * @property {readonly string[]} features of the adapter
 * @property {import('../browser.mjs').BrowserOptions} browser
 */

/** Where the peers' server has a folder: as a hub has it, since that is added to any other address. */
export const webLlmAddress = '/folders/webllm/resolve/main/'

/**
 * TVM's compiled models on WebGPU: https://github.com/mlc-ai/web-llm. It reads no GGUF, and has the default model only
 * without quantisation. What it answers is not compared: it cannot be made to take given tokens.
 * @param {Setting} setting
 * @returns {System}
 */
export const webLlm = (setting) => ({
  id: 'webllm',
  name: 'WebLLM',
  open: () => openSession(setting),
  countWork: () => countWork(setting),
})

/** @param {Setting} setting */
function modelOf({ folder, features }) {
  if (folder === undefined) {
    const id = `SmolLM2-135M-Instruct-q0${features.includes('shader-f16') ? 'f16' : 'f32'}-MLC`
    return { id, model: `https://huggingface.co/mlc-ai/${id}`, library: undefined }
  }
  const library = readdirSync(folder).find((name) => name.endsWith('.wasm'))
  if (library === undefined) {
    throw failure(
      'unavailable',
      `${folder} holds no .wasm: WebLLM needs the model’s compiled library beside its weights.`,
    )
  }
  return { id: basename(folder), model: webLlmAddress, library: `${webLlmAddress}${library}` }
}

/**
 * @param {Setting} setting
 * @returns {Promise<Session>}
 */
async function openSession(setting) {
  const { model, library } = modelOf(setting)
  if (library === undefined) {
    await requireReachable(`${model}/resolve/main/mlc-chat-config.json`, '--webllm-model')
  }
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
async function load(page, setting) {
  const { id, model, library } = modelOf(setting)
  const loaded = await page.evaluate(
    async ({ id, model, library, prompt }) => {
      const address = (/** @type {string} */ path) => new URL(path, location.href).href
      const { MLCEngine } = await import(address('/packages/web-llm/index.js'))
      const record = library && { model_id: id, model: address(model), model_lib: address(library) }
      const start = performance.now()
      const engine = new MLCEngine(record ? { appConfig: { model_list: [record] } } : {})
      await engine.reload(id)
      const readyMs = performance.now() - start
      await engine.completions.create({ prompt, max_tokens: 1, temperature: 0, ignore_eos: true })
      const totalMs = performance.now() - start
      Object.assign(globalThis, { peer: engine })
      const manifest = performance
        .getEntriesByType('resource')
        .find(({ name }) => name.endsWith('/tensor-cache.json'))?.name
      /** @type {{ records: Shard[] } | undefined} */
      const tensors = manifest && (await fetch(manifest).then((response) => response.json()))
      return { readyMs, totalMs, vendor: await engine.getGPUVendor(), shards: tensors?.records ?? [] }
    },
    { id, model, library, prompt: loadPrompt() },
  )
  const { readyMs, totalMs, vendor, shards } = loaded
  const { fileBytes, perToken } = tensorBytesOf(shards)
  return {
    time: { totalMs, firstTokenMs: totalMs - readyMs },
    facts: {
      device: `WebGPU, ${vendor}`,
      file: { name: id, isSameFile: false, ...(fileBytes > 0 && { bytes: fileBytes }) },
      ...(perToken > 0 && { weightBytesPerToken: perToken, limit: { device: 'gpu', bytes: perToken } }),
    },
  }
}

/**
 * @typedef {{ records: { name: string, nbytes: number }[] }} Shard of its list of tensors
 *
 * @param {readonly Shard[]} shards
 * @returns {{ fileBytes: number, perToken: number }} without an embedding of which a token reads a row
 */
export function tensorBytesOf(shards) {
  const tensors = shards.flatMap(({ records }) => records)
  const hasHead = tensors.some(({ name }) => name.startsWith('lm_head.'))
  const sum = (/** @type {typeof tensors} */ some) => some.reduce((bytes, { nbytes }) => bytes + nbytes, 0)
  const isApart = (/** @type {{ name: string }} */ { name }) => hasHead && name.includes('embed_tokens.')
  return { fileBytes: sum(tensors), perToken: sum(tensors.filter((tensor) => !isApart(tensor))) }
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
      const engine = /** @type {any} */ (globalThis).peer
      const start = performance.now()
      let firstTokenMs = 0
      let [promptTokens, answerTokens] = [0, 0]
      for (const prompt of prompts) {
        await engine.resetChat()
        const request = { prompt, max_tokens: maxTokens, temperature: 0, ignore_eos: true, stream: true }
        const chunks = await engine.completions.create({
          ...request,
          stream_options: { include_usage: true },
        })
        for await (const { usage } of chunks) {
          firstTokenMs ||= performance.now() - start
          promptTokens += usage?.prompt_tokens ?? 0
          answerTokens += usage?.completion_tokens ?? 0
        }
      }
      return { promptTokens, answerTokens, firstTokenMs, firstTokens: 1, totalMs: performance.now() - start }
    },
    { prompts, maxTokens },
  )
}

/** @param {Setting} setting */
const countWork = (setting) =>
  countWorkIn(setting.browser, async (page) => {
    await openPage(page, setting.url, 'isPeerPage')
    await load(page, setting)
    return (prompts, numTokens) => runPrompts(page, prompts, numTokens)
  })
