import type { BrasaError } from '../errors.ts'
import type { BackendChoice } from '../protocol.ts'

/** When `auto` gives a backend up, for the next in line. That needs a fresh worker: in one that lost its GPU, ONNX Runtime fails. */
export interface FallbackPolicy {
  /**
   * To be told of every error once.
   * @returns what takes over from here on; undefined where the backend stays
   */
  after(error: BrasaError): Fallback | undefined
}

export interface Fallback {
  readonly backend: 'wasm' | 'ort'
  /** In a sentence. */
  readonly reason: string
}

/** A GPU that is lost this often within the window will be lost again. */
const maxLosses = 3
const lossWindowMs = 60_000

/** @param now milliseconds of a steady clock */
export function createFallbackPolicy(
  choice: BackendChoice,
  now: () => number = () => performance.now(),
): FallbackPolicy {
  /** What is left to fall back to. */
  let left: readonly Fallback['backend'][] = choice === 'auto' ? ['wasm', 'ort'] : []
  let losses: readonly number[] = []

  function judge(error: BrasaError): Fallback | undefined {
    const { failedBackend } = error.details
    if (failedBackend === 'webgpu' && left.includes('wasm')) {
      return { backend: 'wasm', reason: `WebGPU could not be used: ${error.message}` }
    }
    if (failedBackend === 'wasm' && left.includes('ort')) {
      return { backend: 'ort', reason: `WebAssembly could not be used: ${error.message}` }
    }
    if (error.code !== 'device_lost' || !left.includes('wasm')) return undefined
    const time = now()
    losses = [...losses.filter((earlier) => time - earlier < lossWindowMs), time]
    if (losses.length < maxLosses) return undefined
    const reason = 'WebGPU was given up: the browser took the GPU away three times within a minute.'
    return { backend: 'wasm', reason }
  }

  return {
    after(error) {
      const next = judge(error)
      if (next !== undefined) left = left.slice(left.indexOf(next.backend) + 1)
      return next
    },
  }
}
