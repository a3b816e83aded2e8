// @ts-check
import { serve } from '../../scripts/serve.mjs'
import { readReferenceCases } from './agreement.mjs'
import { launchArgs, openBrowser, openPage } from './browser.mjs'
import { measureSystems } from './harness.mjs'
import { compileReadLoop, readLoopAddress } from './limits/cpu-read.mjs'
import { adapterOf } from './limits/gpu-read.mjs'
import { createLimits } from './limits/limits.mjs'
import { watchMachine } from './machine.mjs'
import { describeModelFile, joinShards } from './model-file.mjs'
import { peerFolders, peerPage, versionOf } from './peer-page.mjs'
import { servePeers } from './peer-server.mjs'
import { resultsOf } from './results.mjs'
import { schemaVersion } from './schema.mjs'
import { brasa, rowsOf } from './systems/brasa.mjs'
import { llamaCpp, llamaCppVersion } from './systems/llama-cpp.mjs'
import { transformers } from './systems/transformers.mjs'
import { webLlm } from './systems/web-llm.mjs'
import { wllama } from './systems/wllama.mjs'

/**
 * @typedef {ReturnType<typeof import('../../scripts/bench-options.mjs').readOptions>} Options
 * @typedef {import('./system.mjs').System} System
 */

/** Tokens that a peer's context holds, unless a test needs more. */
const contextLength = 1024

/**
 * Measures what the options name, in browsers.
 * @param {Options} options
 * @param {import('./harness.mjs').Progress} progress
 * @returns {Promise<import('./schema.mjs').BenchResults>}
 */
export async function runBench(options, progress) {
  const startedAt = new Date()
  const path = options.isFile ? options.model : await joinShards(options.model)
  const file = await describeModelFile(options.model, path)
  const { transformers: transformersFolder, webllm: webLlmFolder } = options.folders
  const peers = await servePeers({
    page: peerPage,
    folders: {
      ...peerFolders(),
      ...(transformersFolder !== undefined && { '/folders/transformers/': transformersFolder }),
      ...(webLlmFolder !== undefined && { '/folders/webllm/': webLlmFolder }),
    },
    files: { [`/model/${file.file}`]: path, [readLoopAddress]: await compileReadLoop() },
  })
  const app = await serve(0)
  const probe = await openBrowser(options.browser)
  try {
    await openPage(probe.page, peers.url, 'isPeerPage')
    const adapter = await adapterOf(probe.page)
    const limits = createLimits(probe.page)
    const machine = watchMachine()
    const all = await measureSystems(
      {
        systems: systemsOf(options, file, path, peers.url, app.url, adapter),
        tests: options.tests,
        numRounds: options.numRounds,
        reference: await readReferenceCases(file.sha256, path),
        onRound: async (round, queries) => {
          machine.probe()
          await limits.measure(round, queries)
        },
      },
      progress,
    )
    const { baseline, systems } = resultsOf(all, options.tests, limits.results(), options.baseline)
    const { headed, channel } = options.browser
    return {
      schemaVersion,
      command: options.command,
      startedAt: startedAt.toISOString(),
      durationSeconds: (Date.now() - startedAt.getTime()) / 1000,
      machine: machine.describe(),
      browser: {
        version: probe.version,
        userAgent: await probe.page.evaluate(() => navigator.userAgent),
        args: launchArgs(options.browser),
        headed,
        ...(channel !== undefined && { channel }),
        adapter,
      },
      versions: versions(options),
      model: file,
      numRounds: options.numRounds,
      baseline,
      tests: options.tests,
      systems,
      limits: limits.results(),
    }
  } finally {
    await probe.close()
    await Promise.all([app.close(), peers.close()])
  }
}

/**
 * @param {Options} options
 * @param {import('./schema.mjs').ModelFile} file
 * @param {string} path of the file
 * @param {string} peersUrl
 * @param {string} appUrl
 * @param {import('./schema.mjs').Adapter | null} adapter
 * @returns {System[]} in the table's order
 */
function systemsOf(
  { backends, peers, linears, variants, tests, model, isFile, browser, folders },
  file,
  path,
  peersUrl,
  appUrl,
  adapter,
) {
  const modelPath = `/model/${file.file}`
  const address = isFile ? new URL(modelPath, peersUrl).href : model
  const ours = rowsOf(backends, linears, variants).map((row) =>
    brasa({ url: appUrl, file, browser, model: address, ...row }),
  )
  const longest = Math.max(
    ...tests.map(({ promptTokens = 0, answerTokens = 0 }) => promptTokens + answerTokens),
  )
  const setting = {
    url: peersUrl,
    file,
    browser,
    modelPath,
    // llama.cpp takes its context in steps of 256.
    contextLength: Math.max(contextLength, Math.ceil((longest + 64) / 256) * 256),
    streams: Math.max(1, ...tests.map(({ streams = 1 }) => streams)),
  }
  const isSoftware = adapter?.isSoftware ?? true
  /** @type {Record<string, () => System>} */
  const known = {
    'wllama-1': () => wllama({ ...setting, device: 1 }),
    'wllama-2': () => wllama({ ...setting, device: 2 }),
    'wllama-webgpu': () => wllama({ ...setting, device: 'webgpu' }),
    transformers: () => transformers({ ...setting, folder: folders.transformers, isSoftware }),
    'llama.cpp': () => llamaCpp({ ...setting, path }),
    webllm: () => webLlm({ ...setting, folder: folders.webllm, features: adapter?.features ?? [] }),
  }
  return [...ours, ...peers.flatMap((name) => known[name]?.() ?? [])]
}

/**
 * @param {Options} options
 * @returns {Record<string, string>}
 */
function versions({ peers }) {
  return {
    brasa: versionOf('@brasa/runtime', 'packages/demo'),
    node: process.versions.node,
    'onnxruntime-web': versionOf('onnxruntime-web', 'packages/runtime'),
    '@wllama/wllama': versionOf('@wllama/wllama'),
    '@huggingface/transformers': versionOf('@huggingface/transformers'),
    '@mlc-ai/web-llm': versionOf('@mlc-ai/web-llm'),
    ...(peers.includes('llama.cpp') && { 'node-llama-cpp': llamaCppVersion() }),
    playwright: versionOf('playwright'),
  }
}
