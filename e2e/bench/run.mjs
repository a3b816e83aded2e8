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
import { createProbe } from './probe.mjs'
import { resultsOf } from './results.mjs'
import { schemaVersion } from './schema.mjs'
import { failureOf, withDeadline } from './system.mjs'
import { brasa, rowsOf } from './systems/brasa.mjs'
import { llamaCpp, llamaCppVersion } from './systems/llama-cpp.mjs'
import { transformers } from './systems/transformers.mjs'
import { webLlm, webLlmAddress } from './systems/web-llm.mjs'
import { wllama } from './systems/wllama.mjs'

/**
 * @typedef {ReturnType<typeof import('../../scripts/bench-options.mjs').readOptions>} Options
 * @typedef {import('./schema.mjs').BenchResults} BenchResults
 * @typedef {import('./system.mjs').System} System
 */

/** Tokens that a peer's context holds, unless a test needs more. */
const contextLength = 1024

const probeMs = 60_000

/**
 * Measures what the options name, in browsers.
 * @param {Options} options
 * @param {import('./harness.mjs').Progress} progress
 * @param {(results: BenchResults) => void} save called again and again with what is there so far: whatever ends the run, that much is kept
 * @returns {Promise<BenchResults>}
 */
export async function runBench(options, progress, save) {
  const startedAt = new Date()
  const path = options.isFile ? options.model : await joinShards(options.model)
  const file = await describeModelFile(options.model, path)
  const { transformers: transformersFolder, webllm: webLlmFolder } = options.folders
  const peers = await servePeers({
    page: peerPage,
    folders: {
      ...peerFolders(),
      ...(transformersFolder !== undefined && { '/folders/transformers/': transformersFolder }),
      ...(webLlmFolder !== undefined && { [webLlmAddress]: webLlmFolder }),
    },
    files: { [`/model/${file.file}`]: path, [readLoopAddress]: await compileReadLoop() },
  })
  const app = await serve(0)
  const probe = createProbe(async () => {
    const browser = await openBrowser(options.browser)
    await openPage(browser.page, peers.url, 'isPeerPage').catch(async (error) => {
      await browser.close()
      throw error
    })
    return browser
  })
  /** @type {string[]} */
  const notes = []
  const note = (/** @type {string} */ sentence) => void notes.push(sentence)
  try {
    const browser = await describeBrowser(probe, options.browser, note)
    const limits = createLimits(probe, note)
    const machine = watchMachine()
    /**
     * @param {readonly import('./harness.mjs').Measured[]} all
     * @returns {BenchResults}
     */
    const resultsSoFar = (all) => {
      const { baseline, otherBaselines, systems } = resultsOf(
        all,
        options.tests,
        limits.results(),
        options.baselines,
      )
      return {
        schemaVersion,
        command: options.command,
        startedAt: startedAt.toISOString(),
        durationSeconds: (Date.now() - startedAt.getTime()) / 1000,
        machine: machine.describe(),
        browser,
        versions: versions(options),
        model: file,
        numRounds: options.numRounds,
        baseline,
        ...(otherBaselines.length > 0 && { otherBaselines }),
        tests: options.tests,
        systems,
        limits: limits.results(),
        notes,
      }
    }
    const all = await measureSystems(
      {
        systems: systemsOf(options, file, path, peers.url, app.url, browser.adapter),
        tests: options.tests,
        numRounds: options.numRounds,
        reference: await readReferenceCases(file.sha256, path),
        onRound: async (round, queries) => {
          machine.probe()
          await limits.measure(round, queries)
        },
        onMeasured: (all) => save({ ...resultsSoFar(all), isPartial: true }),
        note,
      },
      progress,
    )
    const results = resultsSoFar(all)
    save(results)
    return results
  } finally {
    await probe.close()
    await withDeadline(Promise.all([app.close(), peers.close()]), 15_000, 'Closing').catch(() => {})
  }
}

/**
 * @param {ReturnType<typeof createProbe>} probe
 * @param {Options['browser']} options
 * @param {(sentence: string) => void} note
 * @returns {Promise<import('./schema.mjs').Browser>}
 */
async function describeBrowser(probe, options, note) {
  const { headed, channel } = options
  const { version, userAgent } = await probe
    .ask('Opening a browser', probeMs, async ({ page, version }) => ({
      version,
      userAgent: await page.evaluate(() => navigator.userAgent),
    }))
    .catch((error) => {
      note(`The browser does not say what it is: ${failureOf(error).reason}`)
      return { version: 'not known', userAgent: 'not known' }
    })
  const adapter = await probe
    .ask('Asking for the adapter', probeMs, ({ page }) => adapterOf(page))
    .catch((error) => {
      note(`WebGPU does not say which adapter there is: ${failureOf(error).reason}`)
      return null
    })
  return {
    version,
    userAgent,
    args: launchArgs(options),
    headed,
    ...(channel !== undefined && { channel }),
    adapter,
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
