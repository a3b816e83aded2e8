// @ts-check
import { agreementOfWindows, casesOf, measureAgreement } from './agreement.mjs'
import { describeModelFile, joinShards } from './model-file.mjs'
import { peerFolders, peerPage } from './peer-page.mjs'
import { servePeers } from './peer-server.mjs'
import { measureSpeed, scoreWindows, speedPromptsOf } from './quality-measure.mjs'
import { divergenceFrom, likelihoodOf, sharesTokens } from './quality-report.mjs'
import { numWindows, qualityText, windowsOf } from './quality-windows.mjs'
import { loadEngine, openBenchPage } from './session.mjs'
import { summaryOf } from './statistics.mjs'
import { wasmRows } from './systems/brasa.mjs'
import { wllama } from './systems/wllama.mjs'
import { readTokenBytes } from './token-bytes.mjs'

/**
 * @typedef {import('./quality-report.mjs').QualityRow} QualityRow
 * @typedef {import('./quality-measure.mjs').QualityReference} QualityReference
 * @typedef {import('./quality-measure.mjs').WindowScores} WindowScores
 *
 * @typedef {object} Asked
 * @property {{ name: string, isFile: boolean }} model
 * @property {QualityReference} reference
 * @property {boolean} gpu this machine's instead of the software adapter
 * @property {number} [tokens] positions to score; all, or `softwarePositions`, if left out
 * @property {(line: string) => void} onConsole
 * @property {{ say: (what: string) => void, begin: (positions: number) => void, update: (done: number) => void }} progress
 *
 * @typedef {{ row: Omit<QualityRow, 'common'>, windows?: readonly WindowScores[] }} Measured
 */

/** Positions of the text that a software adapter scores: at 9 a second, two minutes. */
const softwarePositions = 1024

/** What `--backends` names, as the engine takes it. */
const rows = {
  ...wasmRows,
  'ort-f32': /** @type {const} */ ({ backend: 'ort', linears: 'f32' }),
  'ort-int8': /** @type {const} */ ({ backend: 'ort', linears: 'int8' }),
  webgpu: /** @type {const} */ ({ backend: 'webgpu' }),
  reference: /** @type {const} */ ({ backend: 'reference' }),
}

/**
 * @param {string} backend a key of `rows`, or `wllama`
 * @param {Asked} asked
 * @returns {Promise<Measured>}
 */
export function measureQuality(backend, asked) {
  if (backend === 'wllama') return measureWllama(asked)
  return measureOurs(/** @type {keyof typeof rows} */ (backend), asked)
}

/**
 * @param {keyof typeof rows} backend
 * @param {Asked} asked
 * @returns {Promise<Measured>}
 */
async function measureOurs(backend, { model, reference, gpu, tokens, onConsole, progress }) {
  const { page, residentBytes, close } = await openBenchPage({ gpu, onConsole })
  try {
    const row = rows[backend]
    const engine = await loadEngine(page, {
      model: model.name,
      isFile: model.isFile,
      row,
      onProgress: progress.say,
    })
    const all = await engine.evaluate(async (engine, text) => [...(await engine.tokenize(text))], qualityText)
    const windows = windowsOf(all)
    const facts = await engine.evaluate(async (engine) => ({
      model: engine.model,
      device: engine.device,
      memory: await engine.memory(),
    }))
    const most = (windows[0]?.length ?? 0) - 1
    const isSoftware = backend === 'reference' || /swiftshader|llvmpipe|lavapipe/i.test(facts.device.adapter)
    const wanted = tokens ?? (isSoftware ? softwarePositions : most * numWindows)
    const numPositions = Math.max(1, Math.min(most, Math.round(wanted / numWindows)))
    progress.begin(numPositions * numWindows)
    const compared = sharesTokens(reference, windows) ? reference : undefined
    const scores = await scoreWindows(engine, windows, {
      numPositions,
      reference: compared,
      onProgress: progress.update,
    })
    progress.say('speed')
    const speed = await measureSpeed(engine, qualityText)
    const processBytes = residentBytes()
    await engine.evaluate((engine) => engine.dispose())
    const scored = likelihoodOf(
      scores.windows.map(({ logprobs }) => logprobs),
      numPositions,
    )
    const hasPositions = scores.windows.some((window) => window.compared.length > 0)
    const agreement =
      compared !== undefined && hasPositions ? await agreementOf(model, compared, scores.windows) : undefined
    const { weightBytes, kvCacheBytes, otherBytes } = facts.memory
    progress.say(`perplexity ${scored.perplexity.toFixed(3)} over ${scored.numTokens} positions`)
    return {
      row: {
        model: facts.model.id,
        quantisation: facts.model.quantisation,
        fileBytes: facts.model.sizeBytes,
        backend,
        adapter: facts.device.adapter,
        ...(facts.device.linears !== undefined && { linears: facts.device.linears.format }),
        scored,
        ...(compared !== undefined &&
          hasPositions && { divergence: divergenceFrom(compared, scores.windows) }),
        ...(agreement !== undefined && { agreement }),
        memoryBytes: weightBytes + kvCacheBytes + otherBytes,
        ...(processBytes !== undefined && { processBytes }),
        ...speed,
        scoredTokensPerSecond: scored.numTokens / scores.seconds,
      },
      windows: scores.windows,
    }
  } finally {
    await close()
  }
}

/**
 * A peer that says no more than its likeliest tokens: neither bits nor the divergence over all that the reference lists.
 * @param {Asked} asked
 * @returns {Promise<Measured>}
 */
async function measureWllama({ model, reference, gpu, onConsole, progress }) {
  const path = await pathOf(model)
  if (path === undefined) throw new Error('It reads a GGUF file of this machine: download it first.')
  const file = await describeModelFile(model.name, path)
  const modelPath = `/model/${file.file}`
  const peers = await servePeers({ page: peerPage, folders: peerFolders(), files: { [modelPath]: path } })
  const browser = { gpu, headed: false, args: [], onConsole }
  try {
    const setting = { url: peers.url, modelPath, file, browser, contextLength: 1024, streams: 1 }
    const session = await wllama({ ...setting, device: 2 }).open()
    try {
      progress.say('load')
      const { facts } = await session.load('server')
      const cases = casesOf(reference, await readTokenBytes(path))
      const numSteps = cases.reduce((sum, { steps }) => sum + steps.length, 0)
      progress.begin(numSteps)
      let numDone = 0
      const agreement = await measureAgreement(async (reference) => {
        const found = (await session.follow?.(reference)) ?? []
        numDone += reference.steps.length
        progress.update(numDone)
        return found
      }, cases)
      progress.say('speed')
      const answers = []
      for (const prompt of speedPromptsOf(qualityText)) {
        answers.push(await session.run({ prompts: [prompt], maxTokens: 32 }))
      }
      const memory = (await session.memory?.()) ?? {}
      const median = (/** @type {(number | undefined)[]} */ speeds) =>
        summaryOf(speeds.map((speed = 0) => speed)).median
      return {
        row: {
          model: model.isFile ? file.file.replace(/\.gguf$/, '') : model.name,
          fileBytes: file.bytes,
          backend: 'wllama',
          adapter: facts.device ?? 'CPU',
          ...(agreement !== undefined && { agreement }),
          ...(memory.processBytes !== undefined && { processBytes: memory.processBytes }),
          prefillTokensPerSecond: median(
            answers.map(({ reportedPrefillTokensPerSecond }) => reportedPrefillTokensPerSecond),
          ),
          decodeTokensPerSecond: median(
            answers.map(({ reportedDecodeTokensPerSecond }) => reportedDecodeTokensPerSecond),
          ),
        },
      }
    } finally {
      await session.close()
    }
  } finally {
    await peers.close()
  }
}

/**
 * The measure that every system can be held to: the five likeliest tokens, at the positions that a peer can be asked at.
 * @param {Asked['model']} model
 * @param {QualityReference} reference
 * @param {readonly WindowScores[]} windows
 */
async function agreementOf(model, reference, windows) {
  const path = await pathOf(model)
  if (path === undefined) return undefined
  return agreementOfWindows(reference, casesOf(reference, await readTokenBytes(path)), windows)
}

/**
 * @param {Asked['model']} model
 * @returns {Promise<string | undefined>} of its file on this machine; undefined where it is elsewhere
 */
async function pathOf({ name, isFile }) {
  if (isFile) return name
  return /[:/]/.test(name) ? undefined : joinShards(name)
}
