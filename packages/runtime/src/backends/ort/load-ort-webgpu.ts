import glueUrl from 'onnxruntime-web/ort-wasm-simd-threaded.jspi.mjs?url&no-inline'
import wasmUrl from 'onnxruntime-web/ort-wasm-simd-threaded.jspi.wasm?url&no-inline'
import { BrasaError } from '../../errors.ts'
import { type Ort, useOwnFiles } from './load-ort.ts'

let loading: Promise<Ort> | undefined

/**
 * ONNX Runtime Web with the WebGPU provider. The build that waits for the GPU by JavaScript promise integration: the one that
 * works without it is a file of 27 MB, more than some static hosts take.
 * @throws BrasaError `webgpu_unavailable`
 */
export async function loadOrtWebGpu(): Promise<Ort> {
  if (!('Suspending' in WebAssembly)) {
    throw unavailable(
      'This browser has no JavaScript promise integration, which ONNX Runtime’s WebGPU needs.',
    )
  }
  if ((await navigator.gpu?.requestAdapter()) == null) throw unavailable('This browser offers no GPU.')
  loading ??= import('onnxruntime-web/jspi').then((ort) => useOwnFiles(ort, wasmUrl, glueUrl))
  return loading
}

function unavailable(what: string): BrasaError {
  return new BrasaError('webgpu_unavailable', {
    message: `${what} Use the provider "wasm", or a current Chrome or Edge.`,
    details: { provider: 'webgpu' },
  })
}
