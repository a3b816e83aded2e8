// @ts-check
import { withDeadline } from './system.mjs'
import { hookScript } from './worker-hook.mjs'

/**
 * @typedef {(method: string, params?: object) => Promise<any>} Call of the Chrome DevTools Protocol
 *
 * @typedef {object} Target a page, or a worker that it or one of its workers started
 * @property {Call} call
 * @property {Map<string, Target & { receive: (message: string) => void }>} workers by session
 */

/**
 * Keeps a list of the memories that are made. To look for them later, with `Runtime.queryObjects`, ends the page of wllama and of
 * ONNX Runtime in Chromium 156.
 */
export const keepMemoriesScript = hookScript(() => {
  const scope = /** @type {any} */ (globalThis)
  /** @type {WebAssembly.Memory[]} */
  const memories = []
  scope.wasmMemories = memories
  scope.WebAssembly.Memory = class extends WebAssembly.Memory {
    /** @param {WebAssembly.MemoryDescriptor} descriptor */
    constructor(descriptor) {
      super(descriptor)
      memories.push(this)
    }
  }
})

/** A thread that sleeps inside of WebAssembly hears nothing. */
const answerMs = 2_000

/**
 * What a page and its workers hold, right after garbage was collected. Threads that sleep are not heard. Memories of WebAssembly
 * are known where the page began with `keepMemoriesScript`, and are those that the page and its own workers made, not theirs.
 * @param {Pick<import('./browser.mjs').Browser, 'page' | 'residentBytes'>} browser
 * @returns {Promise<Pick<import('./schema.mjs').Memory, 'jsHeapBytes' | 'wasmHeapBytes' | 'processBytes'>>}
 */
export async function memoryOf({ page, residentBytes }) {
  const processBytes = residentBytes()
  const session = await page.context().newCDPSession(page)
  try {
    /** @type {Target} */
    const root = { call: /** @type {Call} */ (session.send.bind(session)), workers: new Map() }
    session.on('Target.attachedToTarget', (params) => hear(root, 'Target.attachedToTarget', params))
    session.on('Target.receivedMessageFromTarget', (params) =>
      hear(root, 'Target.receivedMessageFromTarget', params),
    )
    const heaps = await Promise.all((await withWorkers(root)).map(heapOf))
    const known = heaps.filter((heap) => heap !== undefined)
    const sumOf = (/** @type {readonly number[]} */ values) => values.reduce((sum, value) => sum + value, 0)
    const wasmHeapBytes = sumOf(known.map(({ wasmBytes }) => wasmBytes))
    return {
      jsHeapBytes: sumOf(known.map(({ usedBytes }) => usedBytes)),
      ...(wasmHeapBytes > 0 && { wasmHeapBytes }),
      ...(processBytes !== undefined && { processBytes }),
    }
  } finally {
    await session.detach()
  }
}

/**
 * @param {Target} target
 * @returns {Promise<Target[]>} it and all below it
 */
async function withWorkers(target) {
  const attach = { autoAttach: true, waitForDebuggerOnStart: false, flatten: false }
  // Who is there already is told before the answer.
  await answerOf(target.call('Target.setAutoAttach', attach)).catch(() => {})
  const below = await Promise.all([...target.workers.values()].map(withWorkers))
  return [target, ...below.flat()]
}

/**
 * @param {Target} parent
 * @param {string} method of an event
 * @param {any} params
 */
function hear(parent, method, params) {
  if (method === 'Target.attachedToTarget') {
    parent.workers.set(params.sessionId, workerOf(parent, params.sessionId))
  } else if (method === 'Target.receivedMessageFromTarget') {
    parent.workers.get(params.sessionId)?.receive(params.message)
  }
}

/**
 * @param {Target} parent
 * @param {string} sessionId
 * @returns {Target & { receive: (message: string) => void }}
 */
function workerOf(parent, sessionId) {
  /** @type {Map<number, { resolve: (result: any) => void, reject: (error: Error) => void }>} */
  const asked = new Map()
  let numAsked = 0
  /** @type {ReturnType<typeof workerOf>} */
  const worker = {
    workers: new Map(),
    call: (method, params = {}) =>
      new Promise((resolve, reject) => {
        const id = ++numAsked
        asked.set(id, { resolve, reject })
        const message = JSON.stringify({ id, method, params })
        parent.call('Target.sendMessageToTarget', { sessionId, message }).catch(reject)
      }),
    receive: (message) => {
      const { id, result, error, method, params } = JSON.parse(message)
      if (id === undefined) hear(worker, method, params)
      else if (error === undefined) asked.get(id)?.resolve(result)
      else asked.get(id)?.reject(new Error(error.message))
    },
  }
  return worker
}

/**
 * @param {Target} target
 * @returns {Promise<{ usedBytes: number, wasmBytes: number } | undefined>} undefined where it does not answer
 */
async function heapOf({ call }) {
  try {
    await answerOf(call('HeapProfiler.collectGarbage'))
    const { usedSize } = await answerOf(call('Runtime.getHeapUsage'))
    const { result } = await answerOf(
      call('Runtime.evaluate', {
        expression: '(globalThis.wasmMemories ?? []).reduce((sum, { buffer }) => sum + buffer.byteLength, 0)',
      }),
    )
    return { usedBytes: usedSize, wasmBytes: result.value }
  } catch {
    return undefined
  }
}

/**
 * @template T
 * @param {Promise<T>} answer
 */
const answerOf = (answer) => withDeadline(answer, answerMs, 'Answering')
