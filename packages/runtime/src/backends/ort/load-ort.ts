import glueUrl from 'onnxruntime-web/ort-wasm-simd-threaded.mjs?url&no-inline'
import wasmUrl from 'onnxruntime-web/ort-wasm-simd-threaded.wasm?url&no-inline'

export type Ort = typeof import('onnxruntime-web/wasm')

/** More than this many threads wait for one another longer than they compute. */
const maxThreads = 8

let loading: Promise<Ort> | undefined
let heap: WebAssembly.Memory | undefined

/**
 * ONNX Runtime Web with the wasm provider, loaded when it is first asked for, its files from our own origin. Threads where
 * the page is cross-origin isolated, else one.
 */
export function loadOrt(): Promise<Ort> {
  loading ??= import('onnxruntime-web/wasm').then((ort) => {
    observeHeap()
    return useOwnFiles(ort, wasmUrl, glueUrl)
  })
  return loading
}

/** Settings of every build: its files from our own origin, as many threads as there may be. */
export function useOwnFiles(ort: Ort, wasm: string, glue: string): Ort {
  ort.env.logLevel = 'error'
  // Both by address: left to itself, the bundled glue starts the worker that imported it once more in every thread.
  ort.env.wasm.wasmPaths = { wasm: absolute(wasm), mjs: absolute(glue) }
  ort.env.wasm.numThreads = ortThreads()
  ort.env.wasm.proxy = false
  return ort
}

/** Bytes that ONNX Runtime has taken for all sessions here: weights, activations and what is free between them. It never shrinks. */
export const ortHeapBytes = (): number => heap?.buffer.byteLength ?? 0

/** ONNX Runtime tells nobody how large its memory is: this sees the next one that is made here, which is its own. */
function observeHeap(): void {
  const { Memory } = WebAssembly
  WebAssembly.Memory = class extends Memory {
    constructor(descriptor: WebAssembly.MemoryDescriptor) {
      super(descriptor)
      heap = this
      WebAssembly.Memory = Memory
    }
  }
}

/** Threads that the wasm provider computes with here. */
export function ortThreads(): number {
  if (globalThis.crossOriginIsolated !== true) return 1
  return Math.max(1, Math.min(navigator.hardwareConcurrency ?? 1, maxThreads))
}

const absolute = (url: string): string => new URL(url, import.meta.url).href
