import { describeExecutor } from '../conformance.ts'
import type { TransformerSpec } from '../transformer-spec.ts'
import type { Weights } from '../weights.ts'
import { createWasmExecutor, type WasmOptions } from './executor.ts'

const inFloats = (fixed: WasmOptions) => (spec: TransformerSpec, weights: Weights, options: WasmOptions) =>
  createWasmExecutor(spec, weights, { ...options, ...fixed, precision: 'f32' })

describeExecutor('wasm in floats', inFloats({}), { tolerance: 1e-3 })
describeExecutor(
  'wasm in floats on one thread without relaxed SIMD',
  inFloats({ numThreads: 1, featureSet: 'plain' }),
  { tolerance: 1e-3 },
)

// What activations, keys and values of 15 and 16 bits cost: the model is right, to three digits.
describeExecutor('wasm by default', createWasmExecutor, { tolerance: 1e-2 })
