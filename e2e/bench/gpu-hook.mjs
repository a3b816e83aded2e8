// @ts-check
import { openBrowser } from './browser.mjs'
import { promptOf, spareIndex } from './prompts.mjs'
import { hookScript } from './worker-hook.mjs'

/**
 * @typedef {object} GpuCounts since a page was opened, of the page and its workers
 * @property {number} dispatches
 * @property {number} submits
 * @property {number} buffersCreated
 * @property {number} bindGroupsCreated
 * @property {number} bytesWritten
 * @property {number} bytesRead mapped back
 * @property {number} bytesHeld by buffers that were created and not destroyed
 */

/** Counts WebGPU calls by standing in for them: whoever makes the calls need not know. */
function installGpuHook() {
  const scope = /** @type {any} */ (globalThis)
  const counts = {
    dispatches: 0,
    submits: 0,
    buffersCreated: 0,
    bindGroupsCreated: 0,
    bytesWritten: 0,
    bytesRead: 0,
    bytesHeld: 0,
  }
  /**
   * @param {string} type
   * @param {string} method
   * @param {(this: any, args: any[], result: any) => void} count
   */
  const watch = (type, method, count) => {
    const prototype = scope[type]?.prototype
    const original = prototype?.[method]
    if (original === undefined) return
    prototype[method] = function (/** @type {any[]} */ ...args) {
      const result = original.apply(this, args)
      count.call(this, args, result)
      return result
    }
  }
  const held = new WeakSet()
  watch('GPUDevice', 'createBuffer', ([descriptor], buffer) => {
    counts.buffersCreated += 1
    counts.bytesHeld += buffer.size
    held.add(buffer)
    if (descriptor.mappedAtCreation) counts.bytesWritten += buffer.size
  })
  watch('GPUBuffer', 'destroy', function () {
    if (held.delete(this)) counts.bytesHeld -= this.size
  })
  watch('GPUBuffer', 'mapAsync', function ([mode, offset = 0, length]) {
    const size = length ?? this.size - offset
    if (mode & 1) counts.bytesRead += size
    else counts.bytesWritten += size
  })
  watch('GPUDevice', 'createBindGroup', () => {
    counts.bindGroupsCreated += 1
  })
  watch('GPUQueue', 'submit', () => {
    counts.submits += 1
  })
  watch('GPUQueue', 'writeBuffer', (args) => {
    const [, , data, from = 0, length] = args
    // Offset and length count elements of a typed array, and bytes of anything else.
    const unit = data.BYTES_PER_ELEMENT ?? 1
    counts.bytesWritten += length === undefined ? data.byteLength - from * unit : length * unit
  })
  for (const method of ['dispatchWorkgroups', 'dispatchWorkgroupsIndirect']) {
    watch('GPUComputePassEncoder', method, () => {
      counts.dispatches += 1
    })
  }

  const channel = new BroadcastChannel('bench-gpu-counts')
  channel.onmessage = ({ data }) => {
    if (data.question !== undefined) channel.postMessage({ answer: data.question, counts })
  }
  if (scope.document === undefined) return

  let numQuestions = 0
  scope.readGpuCounts = async () => {
    const question = ++numQuestions
    const total = Object.fromEntries(Object.keys(counts).map((name) => [name, 0]))
    const asking = new BroadcastChannel('bench-gpu-counts')
    asking.onmessage = ({ data }) => {
      if (data.answer !== question || data.counts === undefined) return
      for (const name of Object.keys(total)) total[name] = (total[name] ?? 0) + data.counts[name]
    }
    asking.postMessage({ question })
    // This page answers too. Nobody knows how many workers will; idle ones do at once.
    await new Promise((resolve) => setTimeout(resolve, 500))
    asking.close()
    return total
  }
}

export const gpuHookScript = hookScript(installGpuHook)

/**
 * @param {import('playwright').Page} page opened with the hook's script
 * @returns {Promise<GpuCounts>}
 */
export const readGpuCounts = (page) => page.evaluate(() => /** @type {any} */ (globalThis).readGpuCounts())

/** Answers whose difference is counted, in tokens. */
const shortAnswer = 4
const longAnswer = 20

/**
 * Work of one token of steady decoding: the difference of two answers to prompts of equal length.
 * @param {import('playwright').Page} page opened with the hook's script
 * @param {(numTokens: number) => Promise<unknown>} answer
 * @returns {Promise<{ perToken: import('./schema.mjs').WorkPerToken, bytesHeld: number }>}
 */
export async function countPerToken(page, answer) {
  const workOf = async (/** @type {number} */ numTokens) => {
    const before = await readGpuCounts(page)
    await answer(numTokens)
    return { before, after: await readGpuCounts(page) }
  }
  // Once for nothing: what is created on first use is not steady decoding.
  await answer(shortAnswer)
  const short = await workOf(shortAnswer)
  const long = await workOf(longAnswer)
  const perToken = (/** @type {keyof GpuCounts} */ name) =>
    (long.after[name] - long.before[name] - (short.after[name] - short.before[name])) /
    (longAnswer - shortAnswer)
  return {
    perToken: {
      dispatches: perToken('dispatches'),
      submits: perToken('submits'),
      buffersCreated: perToken('buffersCreated'),
      bindGroupsCreated: perToken('bindGroupsCreated'),
      bytesWritten: perToken('bytesWritten'),
      bytesRead: perToken('bytesRead'),
    },
    bytesHeld: long.after.bytesHeld,
  }
}

/**
 * What a system asks of the GPU, in a browser where nothing is timed.
 * @param {import('./browser.mjs').BrowserOptions} options
 * @param {(page: import('playwright').Page) => Promise<(prompts: readonly string[], numTokens: number) => Promise<unknown>>} load
 *   resolves to what answers
 */
export async function countWorkIn(options, load) {
  const { page, close } = await openBrowser(options, gpuHookScript)
  try {
    const answer = await load(page)
    let index = spareIndex
    const { perToken, bytesHeld } = await countPerToken(page, (numTokens) =>
      answer([promptOf(++index, 16)], numTokens),
    )
    return { perToken, memory: { gpuBytes: bytesHeld }, notes: [] }
  } finally {
    await close()
  }
}
