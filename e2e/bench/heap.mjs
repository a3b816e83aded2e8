// @ts-check
import { withDeadline } from './system.mjs'

/**
 * @typedef {(method: string, params?: object) => Promise<any>} Call of the Chrome DevTools Protocol
 *
 * @typedef {object} Target a page, or a worker that it or one of its workers started
 * @property {Call} call
 * @property {Map<string, Target & { receive: (message: string) => void }>} workers by session
 */

/** A thread that sleeps inside of WebAssembly hears nothing. */
const answerMs = 2_000

/**
 * What a page and its workers hold, right after garbage was collected. Threads that sleep are not heard; what they share is.
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
    // Threads hold one and the same memory: whoever holds most of what is shared holds all of it.
    const wasmHeapBytes =
      sumOf(known.flatMap(({ own }) => own)) + Math.max(0, ...known.map(({ shared }) => sumOf(shared)))
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
 * @returns {Promise<{ usedBytes: number, own: number[], shared: number[] } | undefined>} undefined where it does not answer
 */
async function heapOf({ call }) {
  try {
    const { result } = await answerOf(
      call('Runtime.evaluate', { expression: 'WebAssembly.Memory.prototype' }),
    )
    // Collects garbage first.
    const { objects } = await answerOf(call('Runtime.queryObjects', { prototypeObjectId: result.objectId }))
    const sizes = await answerOf(
      call('Runtime.callFunctionOn', {
        objectId: objects.objectId,
        functionDeclaration: `function () {
          const buffers = this.map(({ buffer }) => buffer)
          const sizesOf = (isShared) =>
            buffers.filter((buffer) => buffer instanceof ArrayBuffer !== isShared).map(({ byteLength }) => byteLength)
          return { own: sizesOf(false), shared: sizesOf(true) }
        }`,
        returnByValue: true,
      }),
    )
    const { usedSize } = await answerOf(call('Runtime.getHeapUsage'))
    return { usedBytes: usedSize, ...sizes.result.value }
  } catch {
    return undefined
  }
}

/**
 * @template T
 * @param {Promise<T>} answer
 */
const answerOf = (answer) => withDeadline(answer, answerMs, 'Answering')
