import type { BrasaError } from '../errors.ts'
import type { BackendChoice } from '../protocol.ts'

/** When `auto` gives WebGPU up. The fallback needs a fresh worker: in one that lost its GPU, ONNX Runtime fails. */
export interface FallbackPolicy {
  /**
   * To be told of every error once.
   * @returns why the fallback takes over from here on, in a sentence; undefined where the backend stays
   */
  reasonAfter(error: BrasaError): string | undefined
}

/** A GPU that is lost this often within the window will be lost again. */
const maxLosses = 3
const lossWindowMs = 60_000

/** @param now milliseconds of a steady clock */
export function createFallbackPolicy(
  choice: BackendChoice,
  now: () => number = () => performance.now(),
): FallbackPolicy {
  let gaveUp = choice !== 'auto'
  let losses: readonly number[] = []

  function judge(error: BrasaError): string | undefined {
    if (error.details.failedBackend === 'webgpu') return `WebGPU could not be used: ${error.message}`
    if (error.code !== 'device_lost') return undefined
    const time = now()
    losses = [...losses.filter((earlier) => time - earlier < lossWindowMs), time]
    return losses.length < maxLosses
      ? undefined
      : 'WebGPU was given up: the browser took the GPU away three times within a minute.'
  }

  return {
    reasonAfter(error) {
      if (gaveUp) return undefined
      const reason = judge(error)
      gaveUp = reason !== undefined
      return reason
    },
  }
}
