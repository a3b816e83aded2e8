// @ts-check
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../../../scripts/command-line.mjs'

const source = new URL('read-loop.as', import.meta.url)
const wasmFolder = join(root, '.cache', 'bench')
/** Repetitions, of which the best counts: a limit is what the machine can do. */
const numRepeats = 3
/** The most that is read: past it a larger memory only costs time. */
const maxBytes = 1 << 29
const pageBytes = 65_536

/**
 * Compiles the loop.
 * @returns {Promise<string>} path of the WebAssembly module
 */
export async function compileReadLoop() {
  const asc = /** @type {any} */ (await import('assemblyscript/asc'))
  const { error, binary, stderr } = await asc.compileString(readFileSync(source, 'utf8'), {
    optimizeLevel: 3,
    noAssert: true,
    runtime: 'stub',
    importMemory: true,
    sharedMemory: true,
    maximumMemory: maxBytes / pageBytes + 1,
    initialMemory: 1,
    enable: ['simd', 'threads'],
  })
  if (error !== null) throw new Error(`The read-only loop does not compile: ${stderr.toString()}`)
  mkdirSync(wasmFolder, { recursive: true })
  const path = join(wasmFolder, 'read-loop.wasm')
  writeFileSync(path, binary)
  return path
}

/** Where the peers' server has the module. */
export const readLoopAddress = '/limits/read-loop.wasm'

/**
 * How fast threads read memory that they share, each its own part, with SIMD loads. The best of some repetitions.
 * @param {import('playwright').Page} page of the peers' server
 * @param {number} threads
 * @param {number} bytes that all read together
 * @returns {Promise<number>} bytes a second
 */
export function measureCpuRead(page, threads, bytes) {
  return page.evaluate(
    async ({ address, threads, bytes, maxPages, numRepeats }) => {
      const scope = /** @type {any} */ (globalThis)
      const part = Math.floor(bytes / threads / 64) * 64
      const pages = 1 + Math.ceil((part * threads) / 65_536)
      // Kept from one round to the next: filling it takes longer than reading it.
      scope.readMemory ??= new WebAssembly.Memory({ initial: 1, maximum: maxPages, shared: true })
      const memory = /** @type {WebAssembly.Memory} */ (scope.readMemory)
      const missing = pages - memory.buffer.byteLength / 65_536
      // Written once: pages that were never written are all the same page of zeros.
      if (missing > 0) new Uint8Array(memory.buffer, memory.grow(missing) * 65_536).fill(0)
      if (missing > 0) new Uint8Array(memory.buffer).fill(1)
      const module = await WebAssembly.compileStreaming(fetch(address))
      const code = `onmessage = async ({ data: { module, memory, start, end } }) => {
        const { exports } = await WebAssembly.instantiate(module, { env: { memory, abort() {} } })
        onmessage = () => { const sum = exports.sum(start, end); postMessage(Number(sum & 1n)) }
        postMessage('ready')
      }`
      const url = URL.createObjectURL(new Blob([code], { type: 'text/javascript' }))
      const workers = Array.from({ length: threads }, () => new Worker(url))
      const answers = () =>
        Promise.all(
          workers.map(
            (worker) => new Promise((resolve) => worker.addEventListener('message', resolve, { once: true })),
          ),
        )
      const ready = answers()
      for (const [index, worker] of workers.entries()) {
        const start = 65_536 + index * part
        worker.postMessage({ module, memory, start, end: start + part })
      }
      await ready
      let best = Number.POSITIVE_INFINITY
      // One more, which does not count.
      for (let repeat = 0; repeat <= numRepeats; repeat++) {
        const start = performance.now()
        const done = answers()
        for (const worker of workers) worker.postMessage('go')
        await done
        if (repeat > 0) best = Math.min(best, performance.now() - start)
      }
      for (const worker of workers) worker.terminate()
      URL.revokeObjectURL(url)
      return ((part * threads) / best) * 1000
    },
    {
      address: readLoopAddress,
      threads,
      bytes: Math.min(bytes, maxBytes - pageBytes),
      maxPages: maxBytes / pageBytes + 1,
      numRepeats,
    },
  )
}
